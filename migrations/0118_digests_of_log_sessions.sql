-- A session is found by the digest of what its URL tells. What it was until now, its id, becomes that; it gets another.
alter table log_sessions add column token_sha256 bytea;
update log_sessions set token_sha256 = sha256(convert_to(id::text, 'UTF8')), id = gen_random_uuid();
alter table log_sessions alter column token_sha256 set not null, add unique (token_sha256);
