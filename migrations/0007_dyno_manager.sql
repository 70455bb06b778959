-- All of a dyno's life: one-offs, release phase, idling, features, events.

-- A one-off dyno belongs to no formation.
alter table dynos alter column formation drop not null;
create unique index one_off_names on dynos (app, type, ordinal)
  where formation is null and state <> 'down';

-- Asleep: its place is kept, its process is gone.
alter table dynos drop constraint dynos_state_check;
alter table dynos add constraint dynos_state_check
  check (state in ('starting', 'up', 'stopping', 'crashed', 'idle', 'down'));

-- Why a starting dyno has not been placed yet, in a word: 'capacity'. Null: nothing stops it.
alter table dynos add column waiting_for text;

create table one_offs (
  dyno uuid primary key references dynos (id) on delete cascade,
  account uuid not null references accounts (id),
  -- Variables for this dyno alone, sealed for the app.
  environment bytea not null,
  -- Whoever knows the secret is its client. Null: it runs detached.
  attach_secret_sha256 bytea unique,
  -- With a terminal of this size; null: through plain pipes, or detached.
  columns integer,
  rows integer,
  -- Seconds from its start.
  time_to_live integer,
  -- Its client came, and went. Written by rendezvous.
  attached_at timestamptz,
  detached_at timestamptz,
  -- SIGHUPs sent since then, and when the last one was.
  hang_ups integer not null default 0,
  hung_up_at timestamptz,
  -- The release whose command it runs.
  release_phase uuid references releases (id) on delete cascade
);
create unique index release_phases on one_offs (release_phase);

-- An app that sleeps for want of web traffic, and when it last had some.
alter table apps add column idle_since timestamptz;
alter table apps add column web_traffic_at timestamptz;

create table app_features (
  app uuid not null references apps (id) on delete cascade,
  name text not null,
  enabled boolean not null,
  updated_at timestamptz not null default now(),
  primary key (app, name)
);

-- By process type, as app.json asks for: {"web": {"path": "/health", …}}.
alter table slugs add column healthchecks jsonb not null default '{}';

-- When its first web dyno was ready; why it failed, in a sentence; whether we rolled back by ourselves.
alter table releases add column ready_at timestamptz;
alter table releases add column failure text;
alter table releases add column automatic boolean not null default false;
-- Whoever knows it may read what the release phase prints.
alter table releases add column output_token text unique;

-- What happened to an app's dynos and releases, and why. Kept 30 days.
create table events (
  id bigint generated always as identity primary key,
  app uuid not null references apps (id) on delete cascade,
  at timestamptz not null,
  -- 'dyno.up', 'release.failed', …
  kind text not null,
  dyno uuid,
  -- 'web.1'
  ps text,
  release uuid,
  -- The one true cause, in a word or two: 'cycling', 'crash', 'boot timeout'.
  cause text,
  -- For people.
  message text not null
);
create index events_of_app on events (app, id);
create index events_by_age on events (at);
