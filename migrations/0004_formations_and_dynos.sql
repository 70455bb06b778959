-- What the owner asked for: so many dynos of a process type, of a size. The release they
-- run is the app's current one. `command` is null once the type has left the Procfile.
create table formations (
  id         uuid        primary key,
  app        uuid        not null references apps on delete cascade,
  type       text        not null check (type ~ '^[-\w]{1,128}$'),
  quantity   integer     not null check (quantity >= 0),
  size       text        not null,
  command    text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (app, type)
);

-- A place (web.1) is not a dyno (an id): at most one dyno of a place is current, and at
-- most one more, for web only, is leaving while its successor boots.
create table dynos (
  id                   uuid        primary key,
  app                  uuid        not null references apps on delete cascade,
  formation            uuid        not null references formations on delete cascade,
  region               text        not null references regions (name),
  type                 text        not null,
  ordinal              integer     not null check (ordinal > 0),
  release              uuid        not null references releases,
  size                 text        not null,
  command              text        not null,
  state                text        not null
    check (state in ('starting', 'up', 'stopping', 'crashed', 'down')),
  leaving              boolean     not null default false check (not leaving or type = 'web'),
  stop_reason          text,
  -- Unique among live dynos; the dyno's network namespace has it until everything of it is gone.
  address              inet        not null,
  port                 integer     not null check (port between 1024 and 65535),
  -- The router's word: true from when requests may reach it until the last one has ended.
  routed               boolean     not null default false,
  -- Crashes in a row of this place, this dyno's own included.
  crashes              integer     not null default 0,
  created_at           timestamptz not null,
  -- Its process began. 24 h and some minutes later it cycles.
  started_at           timestamptz,
  restart_requested_at timestamptz,
  terminated_at        timestamptz,
  killed_at            timestamptz,
  exited_at            timestamptz,
  exit_status          integer,
  next_attempt_at      timestamptz,
  -- The last change of state.
  updated_at           timestamptz not null
);
create unique index current_dynos on dynos (formation, ordinal) where state <> 'down' and not leaving;
create unique index leaving_dynos on dynos (formation, ordinal) where state <> 'down' and leaving;
create unique index live_addresses on dynos (address) where state <> 'down';
create index live_dynos on dynos (region) where state <> 'down';
create index dynos_of_app on dynos (app, created_at);

-- The next address to try, per region: addresses go round the subnet, so that one just
-- freed is the last to be used again.
create table address_cursors (
  region text    primary key references regions (name),
  next   integer not null
);

-- Which of a router's backends an app has. HAProxy cannot make backends at run time, so
-- there is a pool of empty ones; an app keeps its own until it is destroyed.
create table router_slots (
  region text    not null references regions (name),
  slot   integer not null check (slot >= 0),
  app    uuid    not null unique references apps on delete cascade,
  primary key (region, slot)
);
create index routed_dynos on dynos (region) where routed;
