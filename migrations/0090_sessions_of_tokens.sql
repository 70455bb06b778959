-- By which token a process was asked for, whose client is hung up on once that is good no more. Null: by none.
alter table one_offs add column "authorization" uuid;
alter table entries add column "authorization" uuid;
-- Who came with the key that it had before is let in no more.
alter table authorizations add column rotated_at timestamptz;
