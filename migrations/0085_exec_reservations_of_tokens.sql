-- Who was let in by a token is out when that is revoked or expires. Of reservations made before, nobody
-- knows by which: commands make new ones.
delete from exec_reservations;
alter table exec_reservations
  add column "authorization" uuid not null references authorizations (id) on delete cascade,
  -- A day after it was made, or with its token.
  add column expires_at timestamptz not null;
create index exec_reservations_of_authorization on exec_reservations ("authorization");
