-- What keeps the number of an app's web dynos by their response time: Heroku's monitors with
-- action_type "scale". `value` is the p95 in milliseconds.
create table monitors (
  id                    uuid        primary key,
  app                   uuid        not null unique references apps on delete cascade,
  is_active             boolean     not null,
  value                 integer     not null check (value >= 1),
  min_quantity          integer     not null check (min_quantity >= 1),
  max_quantity          integer     not null check (max_quantity >= min_quantity),
  notification_channels text[]      not null,
  notification_period   integer     not null,
  created_at            timestamptz not null default now(),
  updated_at            timestamptz not null default now()
);
