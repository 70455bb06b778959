-- Domains that apps were given beside their default one. A destroyed app's are deleted.
create table domains (
  id uuid primary key,
  app uuid not null references apps (id),
  -- In small ASCII letters; a wildcard is `*.` and the rest.
  hostname text not null unique
    check (hostname = lower(hostname) and length(hostname) <= 253),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index domains_of_app on domains (app);
