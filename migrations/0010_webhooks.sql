-- Who is told by HTTP of what happens to an app.
create table webhooks (
  id                   uuid        primary key,
  app                  uuid        not null references apps on delete cascade,
  -- What it hears of: 'api:release', 'dyno'.
  include              text[]      not null,
  level                text        not null check (level in ('notify', 'sync')),
  url                  text        not null,
  -- What signs its requests, and the header it wants with them: sealed with the webhooks' own key.
  secret               bytea       not null,
  authorization_header bytea,
  created_at           timestamptz not null,
  updated_at           timestamptz not null
);
create index webhooks_of_app on webhooks (app);

-- What there is to tell. Written in the transaction it speaks of, and only where somebody listens.
create table webhook_events (
  id         uuid        primary key,
  seq        bigint      not null generated always as identity,
  app        uuid        not null references apps on delete cascade,
  include    text        not null,
  -- The body of the request, without what belongs to one delivery of it.
  payload    jsonb       not null,
  created_at timestamptz not null
);
create index webhook_events_of_app on webhook_events (app, seq);
create index webhook_events_by_age on webhook_events (created_at);

create table webhook_deliveries (
  id              uuid        primary key,
  -- A webhook's deliveries have it in the order in which they came about.
  seq             bigint      not null generated always as identity,
  webhook         uuid        not null references webhooks on delete cascade,
  event           uuid        not null references webhook_events on delete cascade,
  status          text        not null
    check (status in ('pending', 'scheduled', 'retrying', 'failed', 'succeeded')),
  num_attempts    integer     not null default 0,
  next_attempt_at timestamptz,
  created_at      timestamptz not null,
  updated_at      timestamptz not null,
  check ((status = 'retrying') = (next_attempt_at is not null))
);
create index webhook_deliveries_of_webhook on webhook_deliveries (webhook, seq);
create index webhook_deliveries_of_event on webhook_deliveries (event);
create index open_webhook_deliveries on webhook_deliveries (webhook, seq)
  where status not in ('failed', 'succeeded');

create table webhook_attempts (
  id          uuid        primary key,
  delivery    uuid        not null references webhook_deliveries on delete cascade,
  -- 'scheduled' while it is under way.
  status      text        not null check (status in ('scheduled', 'succeeded', 'failed')),
  -- Of the answer.
  code        integer,
  -- Why there was none: 'ECONNREFUSED', 'TimeoutError'.
  error_class text,
  created_at  timestamptz not null,
  updated_at  timestamptz not null
);
create index webhook_attempts_of_delivery on webhook_attempts (delivery, created_at);
