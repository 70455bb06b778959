-- Until when something may be uploaded to a source. Null: a build has used it up, or will.
alter table sources add column open_until timestamptz;

update sources set open_until = created_at + interval '1 hour'
 where uploaded_at is null and created_at > now() - interval '1 hour';

-- How many of an account's can still be uploaded to is asked before it makes another.
create index sources_open on sources (account, open_until) where open_until is not null;
