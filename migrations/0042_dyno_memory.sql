-- What running dynos used when they were last looked at, in bytes: for those who watch over the
-- installation. It comes anew every 20 seconds, so that it need not survive a crash.
create unlogged table dyno_memory (
  dyno  uuid        primary key references dynos on delete cascade,
  used  bigint      not null,
  quota bigint      not null,
  at    timestamptz not null
);
