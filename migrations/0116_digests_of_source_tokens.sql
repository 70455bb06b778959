-- What lets its holder write or read a source is told once, and found again by its digest. The URLs that are out
-- stay good.
alter table sources add column put_token_sha256 bytea, add column get_token_sha256 bytea;
update sources set put_token_sha256 = sha256(convert_to(put_token, 'UTF8')),
                   get_token_sha256 = sha256(convert_to(get_token, 'UTF8'));
alter table sources
  alter column put_token_sha256 set not null,
  alter column get_token_sha256 set not null,
  add unique (put_token_sha256),
  add unique (get_token_sha256),
  drop column put_token,
  drop column get_token;
