-- Where a region's router takes TLS. Null: it does not.
alter table regions add column https_port integer check (https_port between 1 and 65535);
