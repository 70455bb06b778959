-- How many uploads an account has that are still there is asked before it makes another.
create index sources_uploaded on sources (account) where uploaded_at is not null;
