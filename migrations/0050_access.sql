-- What a token is good for: 'global', or less.
alter table authorizations add scope text[] not null default '{global}';

-- A team owns apps as an account does, and so is one, under its own id: nobody has a token of it.
create table teams (
  id         uuid        primary key references accounts on delete cascade,
  name       text        not null unique check (name ~ '^[a-z][a-z0-9-]{1,28}[a-z0-9]$'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table team_members (
  team       uuid        not null references teams on delete cascade,
  account    uuid        not null references accounts on delete cascade,
  role       text        not null check (role in ('admin', 'member', 'collaborator')),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (team, account)
);
create index team_members_by_account on team_members (account);

-- Who has been let in beside the owner. Permissions count only on a team's app.
create table collaborators (
  id          uuid        primary key,
  app         uuid        not null references apps on delete cascade,
  account     uuid        not null references accounts on delete cascade,
  permissions text[]      not null check (permissions <@ '{view, deploy, operate, manage}'),
  created_at  timestamptz not null default now(),
  updated_at  timestamptz not null default now(),
  unique (app, account)
);
create index collaborators_by_account on collaborators (account);

-- Of a team's app: members have no more than they were given.
alter table apps add locked boolean not null default false;
create index apps_by_owner on apps (owner) where deleted_at is null;

create table app_transfers (
  id         uuid        primary key,
  app        uuid        not null references apps on delete cascade,
  owner      uuid        not null references accounts on delete cascade,
  recipient  uuid        not null references accounts on delete cascade,
  state      text        not null check (state in ('pending', 'accepted', 'declined')),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create unique index pending_app_transfers on app_transfers (app) where state = 'pending';
