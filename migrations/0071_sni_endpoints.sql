-- Certificates that apps' custom domains are served with. A destroyed app's are deleted.
create table sni_endpoints (
  id uuid primary key,
  app uuid not null references apps (id),
  -- `tokyo-1050`.
  name text not null,
  -- PEM, the certificate itself first.
  certificate_chain text not null,
  -- Sealed for the endpoint's id.
  private_key bytea not null,
  -- Of the chain, in hex: another certificate, another fingerprint.
  fingerprint text not null,
  starts_at timestamptz not null,
  expires_at timestamptz not null,
  -- Whether it came, and is renewed, by itself.
  acm boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (app, name)
);

alter table domains
  add column sni_endpoint uuid references sni_endpoints (id) on delete set null;
create index domains_of_sni_endpoint on domains (sni_endpoint);
