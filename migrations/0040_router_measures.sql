-- What the router's records say of an app's requests, by minutes; later by ten minutes, then
-- by hours. `writer` is the process that counted: several may have counted parts of one minute.
-- `keys` and `counts` are src/model/router-measures.ts's, the times are in milliseconds.
create table router_measures (
  app             uuid        not null references apps on delete cascade,
  period          integer     not null check (period in (60, 600, 3600)),
  at              timestamptz not null,
  writer          uuid        not null,
  -- The fewest web dynos that were up.
  dynos           integer     not null,
  keys            smallint[]  not null,
  counts          bigint[]    not null,
  service_total   bigint      not null,
  service_longest bigint      not null,
  primary key (app, period, at, writer)
) with (fillfactor = 70);

create index router_measures_by_age on router_measures (period, at);

-- From when to when requests have been counted without a gap: where none were counted, there
-- were none.
create table router_counting (
  one   boolean     primary key default true check (one),
  since timestamptz not null,
  until timestamptz not null
);
