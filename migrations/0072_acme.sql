-- Automatic certificates: with which authority the installation has which account.
create table acme_accounts (
  -- The ACME directory's URL.
  directory text primary key,
  email text,
  -- PEM, sealed for the directory.
  private_key bytea not null,
  -- Null: the authority does not know it yet.
  url text,
  created_at timestamptz not null default now()
);

-- The one that certificates are asked of now; empty: none.
create table acme_directory (
  singleton boolean primary key default true check (singleton),
  directory text not null references acme_accounts (directory)
);

alter table apps add column acm boolean not null default false;

alter table domains
  -- As `heroku certs:auto` tells it.
  add column acm_status text
    check (acm_status in ('pending', 'verified', 'cert issued', 'failing', 'failed')),
  add column acm_status_reason text;

-- A certificate that is being got for a domain: what the authority was told up to now.
create table acme_orders (
  domain uuid primary key references domains (id) on delete cascade,
  directory text not null references acme_accounts (directory),
  url text not null,
  -- The order's key, PEM, sealed for the domain's id.
  private_key bytea not null,
  -- What the authority asks for, and the answer. Null: it has no question.
  token text unique,
  key_authorization text,
  -- Whether the router of the app's region knows the answer.
  answered boolean not null default false,
  -- Whether the authority was told to look.
  told boolean not null default false,
  created_at timestamptz not null default now()
);
