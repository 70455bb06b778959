-- Whether a place has just lost its dyno is asked for each that waits for room, under a machine's lock.
create index ended_dynos on dynos (formation, ordinal, updated_at)
  where state = 'down' and placed_at is not null;

-- The oldest of an app's ended dynos are found without reading the others.
drop index dynos_of_app;
create index dynos_of_app on dynos (app, state, updated_at);
