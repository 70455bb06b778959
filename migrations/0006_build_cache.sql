-- The app's next build is to begin with an empty cache.
alter table apps add column clear_cache boolean not null default false;
