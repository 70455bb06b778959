-- Of which name each was: one has so many in a time, whichever domain's it is. Null: it was not noted.
alter table acme_tries add column hostname text;
create index acme_tries_of_name on acme_tries (directory, hostname, at);
