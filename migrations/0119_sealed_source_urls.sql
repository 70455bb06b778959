-- Sealed for the app, as config vars are. What was in clear until now `up` seals, which has the key.
alter table builds rename column source_url to unsealed_source_url;
alter table builds add column source_url bytea;
