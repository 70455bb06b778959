-- A process asked for inside a running dyno, until it is started there for its client.
create table entries (
  id uuid primary key,
  dyno uuid not null references dynos (id) on delete cascade,
  command text not null,
  -- Variables for this process alone, sealed for the app.
  environment bytea not null,
  -- Whoever knows the secret is its client.
  attach_secret_sha256 bytea not null unique,
  -- With a terminal of this size; null: through plain pipes.
  columns integer,
  rows integer,
  created_at timestamptz not null default now(),
  -- Its client came. Written by rendezvous.
  attached_at timestamptz
);
create index entries_of_dyno on entries (dyno);
