-- A dyno is given its address when it is given room, and holds it while anything of it may be there.
alter table dynos
  alter column address drop not null,
  add constraint dynos_placed_check
    check (placed_at is null or address is not null or state in ('crashed', 'idle', 'down'));
update dynos set address = null
 where state = 'idle' or state = 'starting' and placed_at is null;
