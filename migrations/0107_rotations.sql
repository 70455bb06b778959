-- How often a token got another key, in place of when: a time is that of a transaction's begin, not of
-- when it had the token to itself, and a clock may be set back.
alter table authorizations add column rotations integer not null default 0;
update authorizations set rotations = 1 where rotated_at is not null;

-- Of its token, when it was asked for. Null: by none.
alter table one_offs add column rotations integer;
update one_offs o
   set rotations = case when d.created_at > t.rotated_at then 1 else 0 end
  from authorizations t, dynos d
 where t.id = o."authorization" and d.id = o.dyno;
alter table entries add column rotations integer;
update entries e
   set rotations = case when e.created_at > t.rotated_at then 1 else 0 end
  from authorizations t
 where t.id = e."authorization";

alter table authorizations drop column rotated_at;
