-- Those whose commands are to be cut, found without reading all that are down.
create index long_commands on dynos (region) where state = 'down' and octet_length(command) > 1000;
