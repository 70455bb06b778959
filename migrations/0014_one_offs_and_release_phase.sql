-- When it was said (R16) that a one-off goes on though its client hung up on it.
alter table one_offs add column unresponsive_at timestamptz;

-- What a release phase prints, in the same pieces as what a build does.
alter table build_output rename column build to printer;
create table release_output (
  printer  uuid   not null references releases on delete cascade,
  position bigint not null,
  text     text   not null,
  next     bigint not null,
  primary key (printer, position)
);
