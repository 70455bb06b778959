-- How many slots the apps of a region have ever had at once: its router has as many backends, and none is
-- taken away again, for each reload of HAProxy ends an old worker's websockets sooner.
alter table regions
  add column slots integer not null default 0 check (slots >= 0);

update regions
   set slots = coalesce((select max(slot) + 1 from router_slots where region = regions.name), 0);
