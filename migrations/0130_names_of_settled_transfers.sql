-- What an app was called when its offer was settled: who gave it away or declined it need not learn what
-- it is called later. Null: it is pending.
alter table app_transfers add column app_name text;
update app_transfers t set app_name = a.name from apps a where a.id = t.app and t.state <> 'pending';
