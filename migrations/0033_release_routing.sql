-- What a release's config vars say to the router, which cannot open them: pages, time-outs.
alter table releases add column routing jsonb;
