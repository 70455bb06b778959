-- Why a restart was requested, if not by hand: 'memory', and 'stop' for ps:stop. Goes with restart_requested_at.
alter table dynos add column restart_because text;
