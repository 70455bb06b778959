-- Keys that somebody got by logging in are counted by themselves, so that no number of others keeps their owner
-- out. Of those that are there nobody knows any more which are such; they have an end of 30 days.
alter table authorizations add column by_login boolean default false not null;
