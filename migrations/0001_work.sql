-- One row per thing that somebody must look after, and when to look next. A row never
-- says what to do: whoever claims it reads the facts afresh.
create table work (
  kind         text        not null,
  subject      uuid        not null,
  region       text        not null,
  run_at       timestamptz not null default now(),
  leased_until timestamptz,
  wakes        bigint      not null default 0,
  failures     integer     not null default 0,
  last_error   text,
  primary key (kind, subject)
);
create index work_due on work (region, run_at);
