-- What an account may log in with, to be given a token for it.
create table passwords (
  account    uuid        primary key references accounts on delete cascade,
  -- '$scrypt$ln=15,r=8,p=3$SALT$HASH': what it was made with goes with it.
  hash       text        not null,
  updated_at timestamptz not null default now()
);

create table two_factors (
  account    uuid        primary key references accounts on delete cascade,
  -- Of the codes (RFC 6238), sealed for the account's id.
  secret     bytea       not null,
  -- Of the newest code that was taken, counted in 30 s: neither it nor an older one is again.
  last_step  bigint      not null default 0,
  created_at timestamptz not null default now()
);

-- Good once each, instead of a code.
create table recovery_codes (
  account uuid  not null references two_factors on delete cascade,
  sha256  bytea not null,
  primary key (account, sha256)
);

-- `heroku login`: a CLI waits for somebody to log in on a page.
create table browser_logins (
  id          uuid        primary key,
  -- Digests of what the CLI and the page prove themselves with.
  cli_sha256  bytea       not null,
  page_sha256 bytea       not null unique,
  -- What the CLI says of its machine, and from where it asked.
  description text        not null,
  address     inet,
  expires_at  timestamptz not null,
  state       text        not null default 'asked'
    check (state in ('asked', 'password given', 'granted', 'refused')),
  account     uuid        references accounts on delete cascade,
  check ((account is not null) = (state in ('password given', 'granted')))
);
create index browser_logins_by_account on browser_logins (account);

-- A login has no token yet, and one that failed may be nobody's.
alter table audit
  alter column account drop not null,
  alter column email drop not null,
  alter column "authorization" drop not null;
