-- What lets its holder read an output is made from the build's, or the release's, id by a key that is not here.
alter table builds drop column output_token;
alter table releases add column has_release_phase boolean default false not null;
update releases set has_release_phase = true where output_token is not null;
alter table releases drop column output_token;
