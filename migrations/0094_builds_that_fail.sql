-- Since when every look at a build has failed: a build holds its address, and the share of the
-- machine that goes with it, and one that cannot go on must not hold them for ever.
alter table builds add column failing_since timestamptz;
