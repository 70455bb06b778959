-- Which wake the last look that ended well had heard of: none yet. Who woke a router can so wait
-- until it serves accordingly.
alter table work add column heeded bigint not null default -1;
