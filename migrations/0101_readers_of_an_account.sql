-- Who asked for a session, and so has one reader less of all that there may be. Null: it was asked for
-- before this was written down.
alter table log_sessions add column account uuid references accounts (id) on delete cascade;
