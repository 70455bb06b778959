-- An account's keys are counted before there is another.
create index authorizations_of_account on authorizations (account);
