-- The sweep looks for dynos long down, and whoever places dynos for builds that run.
create index down_dynos on dynos (region, updated_at) where state = 'down';
create index placed_builds on builds (app) where address is not null;
