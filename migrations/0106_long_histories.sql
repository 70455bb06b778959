-- The list of an app's builds is cut by the database.
create index builds_of_app on builds (app, created_at);

-- One that named 64 KB of config vars was kept as a whole, and each list had it.
update releases set description = left(description, 499) || '…' where length(description) > 500;

-- Whether a release may go is asked of all that refer to it.
create index builds_of_release on builds (release);
create index dynos_of_release on dynos (release);
create index apps_of_current_release on apps (current_release);
