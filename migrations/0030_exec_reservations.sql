-- Who may open an SSH session into a dyno: `heroku ps:exec` and its kin. It ends with the dyno.
create table exec_reservations (
  -- The name under which the client comes; nobody guesses it.
  client_user text primary key,
  dyno uuid not null references dynos (id) on delete cascade,
  account uuid not null references accounts (id),
  -- An OpenSSH public key, of a pair that the client made for this.
  client_key text not null,
  -- Variables for its processes alone, sealed for the app.
  environment bytea not null,
  created_at timestamptz not null default now()
);
create index exec_reservations_of_dyno on exec_reservations (dyno);
