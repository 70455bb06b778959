-- Whether a build has an address is looked up as it is of a dyno.
create index addresses_of_builds on builds (address) where status = 'pending';
