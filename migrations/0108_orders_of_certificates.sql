-- What all have of the account with an authority: how often in a row it took no order, and until when none
-- is asked of it.
alter table acme_accounts
  add column refusals integer not null default 0,
  add column paused_until timestamptz;

-- Orders that an authority was asked for lately, whatever came of them: an owner of apps has so many in a time.
create table acme_tries (
  id bigint generated always as identity primary key,
  directory text not null,
  owner uuid not null references accounts (id) on delete cascade,
  at timestamptz not null,
  -- The owner's next not before; null: this one held up none.
  held_until timestamptz
);
create index acme_tries_of_owner on acme_tries (directory, owner, at);

-- Since when `acm_retry_at` is waited for.
alter table domains add column acm_failed_at timestamptz;
update domains set acm_failed_at = updated_at where acm_retry_at is not null;
