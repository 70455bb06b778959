-- An account's are counted, and those that have expired forgotten, before there is another.
create index exec_reservations_of_account on exec_reservations (account, created_at);
