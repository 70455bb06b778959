-- A build whose dyno went with its machine begins once more: from where in its output on what its second dyno
-- prints is. Null: it has had one only.
alter table builds add column anew_from bigint;
