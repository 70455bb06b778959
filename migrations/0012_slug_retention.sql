-- Its files are gone, or about to go: nothing can run it any more.
alter table slugs add column deleted_at timestamptz;
