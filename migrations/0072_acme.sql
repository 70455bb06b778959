-- Automatic certificates. The authority they are asked of; no row: none.
create table acme_directory (
  singleton boolean primary key default true check (singleton),
  -- Of RFC 8555's directory.
  url text not null,
  email text,
  -- PEM: who vouches for the authority's own server, where no public one does.
  trusted text
);

-- As whom the installation is known to an authority.
create table acme_accounts (
  directory text primary key,
  -- PEM, sealed for the directory.
  private_key bytea not null,
  -- Null: the authority was not told yet.
  url text
);

alter table apps add column acm boolean not null default false;

alter table domains
  -- As `heroku certs:auto` tells it.
  add column acm_status text
    check (acm_status in ('pending', 'verified', 'cert issued', 'failing', 'failed')),
  add column acm_status_reason text,
  -- How often it failed since it last succeeded or somebody asked for another try.
  add column acm_failures integer not null default 0,
  -- Not before.
  add column acm_retry_at timestamptz;

-- A certificate that is being got for a domain: what the authority was told up to now.
create table acme_orders (
  domain uuid primary key references domains (id) on delete cascade,
  directory text not null,
  url text not null,
  -- The certificate's, PEM, sealed for the domain's id.
  private_key bytea not null,
  -- What the authority asks for, and the answer. Null: it has no question.
  token text unique,
  key_authorization text,
  -- Whether the router of the app's region knows the answer.
  answered boolean not null default false,
  -- Whether the authority was told to look.
  told boolean not null default false,
  created_at timestamptz not null
);
