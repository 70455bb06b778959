-- Who asked for it: an account may have a number of them waiting. Null: by SSH, where nothing waits.
alter table entries add column account uuid references accounts on delete cascade;
create index entries_account on entries (account);
