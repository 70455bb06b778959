-- An uploaded or pushed source tree: a gzipped tarball, sources/<id>.tar.gz in the data directory.
create table sources (
  id          uuid        primary key,
  account     uuid        not null references accounts,
  -- The capabilities in the URLs that the Platform API hands out.
  put_token   text        not null unique,
  get_token   text        not null unique,
  uploaded_at timestamptz,
  created_at  timestamptz not null default now()
);

-- The files of a slug lie in slugs/<id>/app in the data directory.
create table slugs (
  id                             uuid        primary key,
  app                            uuid        not null references apps on delete cascade,
  stack                          text        not null,
  commit                         text,
  commit_description             text,
  buildpack_provided_description text,
  process_types                  jsonb       not null,
  checksum                       text,
  size                           bigint,
  created_at                     timestamptz not null default now(),
  updated_at                     timestamptz not null default now()
);

create table releases (
  id          uuid        primary key,
  app         uuid        not null references apps on delete cascade,
  version     integer     not null check (version > 0),
  status      text        not null check (status in ('pending', 'succeeded', 'failed', 'expired')),
  description text        not null,
  account     uuid        not null references accounts,
  slug        uuid        references slugs,
  -- The app's config vars as of this release: a JSON object, sealed with the installation's key.
  config_vars bytea       not null,
  created_at  timestamptz not null default now(),
  updated_at  timestamptz not null default now(),
  unique (app, version)
);
alter table apps add foreign key (current_release) references releases;

create table builds (
  id                 uuid        primary key,
  app                uuid        not null references apps on delete cascade,
  account            uuid        not null references accounts,
  status             text        not null check (status in ('pending', 'succeeded', 'failed')),
  -- Where the workflow stands; null once the status is final.
  step               text,
  source             uuid        references sources,
  source_url         text        not null,
  source_version     text,
  source_description text,
  source_checksum    text,
  -- What this build was asked to use; null: the app's buildpack installations, or detection.
  buildpacks         jsonb,
  slug               uuid        references slugs,
  release            uuid        references releases,
  stack              text        not null,
  failure            text,
  address            inet,
  output_token       text        not null unique,
  cancelled_at       timestamptz,
  started_at         timestamptz,
  created_at         timestamptz not null default now(),
  updated_at         timestamptz not null default now(),
  check ((status = 'pending') = (step is not null))
);

-- What a build printed, in pieces. `position` is the offset in bytes of the piece in the whole.
create table build_output (
  build    uuid   not null references builds on delete cascade,
  position bigint not null,
  text     text   not null,
  -- Where the next piece begins.
  next     bigint not null,
  primary key (build, position)
);
