-- The platform's own lines on their way to an app's log (app[api]: …, heroku[web.1]: …),
-- written in the transaction they speak of. `logs` takes them out.
create table log_lines (
  id      bigint      generated always as identity primary key,
  app     uuid        not null,
  at      timestamptz not null default clock_timestamp(),
  source  text        not null check (source in ('app', 'heroku')),
  ps      text        not null,
  message text        not null
);

-- A reader's capability on an app's log; the id in its URL is the secret.
create table log_sessions (
  id         uuid        primary key,
  app        uuid        not null references apps on delete cascade,
  source     text,
  dyno       text,
  lines      integer     not null,
  tail       boolean     not null,
  created_at timestamptz not null default now(),
  -- When it was last known to be read; it is good for six minutes more.
  read_at    timestamptz
);
