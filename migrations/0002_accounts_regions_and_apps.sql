create table accounts (
  id         uuid        primary key,
  email      text        not null unique,
  name       text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

-- API keys. Only a digest is kept.
create table authorizations (
  id           uuid        primary key,
  account      uuid        not null references accounts on delete cascade,
  token_sha256 bytea       not null unique,
  description  text        not null,
  created_at   timestamptz not null default now(),
  updated_at   timestamptz not null default now(),
  expires_at   timestamptz
);

-- `domain` and `http_port` make up the address of an app: http://<app>.<domain>:<port>.
create table regions (
  id          uuid        primary key,
  name        text        not null unique,
  description text        not null,
  country     text        not null,
  locale      text        not null,
  domain      text        not null,
  http_port   integer     not null check (http_port between 1 and 65535),
  subnet      cidr        not null,
  created_at  timestamptz not null default now(),
  updated_at  timestamptz not null default now()
);

create table apps (
  id              uuid        primary key,
  name            text        not null check (name ~ '^[a-z][a-z0-9-]{1,28}[a-z0-9]$'),
  region          text        not null references regions (name),
  owner           uuid        not null references accounts,
  stack           text        not null,
  maintenance     boolean     not null default false,
  current_release uuid,
  repo_size       bigint,
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now(),
  released_at     timestamptz,
  -- Set by `apps:destroy`: the name is free at once, the dynos and files go as the manager gets to them.
  deleted_at      timestamptz
);
create unique index app_names on apps (name) where deleted_at is null;

create table buildpack_installations (
  app     uuid    not null references apps on delete cascade,
  ordinal integer not null,
  url     text    not null,
  primary key (app, ordinal)
);
