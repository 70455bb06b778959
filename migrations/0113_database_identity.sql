-- By which an installation knows its database again, wherever a copy of it lies.
create table database_identity (
  singleton boolean primary key default true check (singleton),
  id uuid not null default gen_random_uuid()
);
insert into database_identity default values;
