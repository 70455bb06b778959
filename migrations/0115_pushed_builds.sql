-- What is pushed has no URL to be fetched by, and is known as such without reading those of other builds: who has
-- one has the code.
alter table builds alter column source_url drop not null;
alter table builds add column pushed boolean default false not null;
update builds set pushed = true, source_url = null where source_url like 'git:%';
