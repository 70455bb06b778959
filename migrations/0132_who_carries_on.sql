-- Whether a dyno takes the place of one that had room is known when its row is made. It was worked out at each placing
-- for all that waited, before they were cut to a thousand, and all that were promised room were sought among them.
alter table dynos add column carries_on boolean not null default false;
update dynos set carries_on = true
 where state = 'starting' and placed_at is null
   and (exists (select from dynos as before
                 where before.formation = dynos.formation and before.ordinal = dynos.ordinal
                   and before.leaving and before.state <> 'down' and before.placed_at is not null)
        or (select coalesce(max(before.updated_at) > dynos.created_at - interval '1 minute', false)
              from dynos as before
             where before.formation = dynos.formation and before.ordinal = dynos.ordinal
               and before.state = 'down' and before.placed_at is not null)
        or exists (select from one_offs
                    where one_offs.dyno = dynos.id and release_phase is not null));
drop index unplaced_dynos;
create index unplaced_dynos on dynos (region, size, carries_on desc, created_at, type, ordinal)
  where state = 'starting' and placed_at is null;
create index promised_dynos on dynos (region)
  where state in ('starting', 'up', 'stopping') and placed_at is not null;
