-- When the machine's memory was found to have room for the dyno: from then on its quota counts.
alter table dynos add column placed_at timestamptz;
update dynos set placed_at = created_at where state <> 'down';
create index unplaced_dynos on dynos (region, created_at)
  where state = 'starting' and placed_at is null;
