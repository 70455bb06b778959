-- Who asked for which change, from where, and what came of it. Nothing here refers to another
-- row: an entry outlives the account, token and app that it names.
create table audit (
  id            bigint      generated always as identity primary key,
  at            timestamptz not null default now(),
  account       uuid        not null,
  email         text        not null,
  -- The token's id.
  "authorization" uuid      not null,
  address       inet,
  request       uuid,
  method        text        not null,
  -- The pattern, as '/apps/:app/dynos', and what stood in its places.
  route         text        not null,
  nouns         jsonb       not null,
  app           uuid,
  status        integer     not null
);
create index audit_by_time on audit (at);
create index audit_by_app on audit (app, id) where app is not null;
