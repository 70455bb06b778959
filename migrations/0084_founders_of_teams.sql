-- Who made the team, and so has one less to make. Null: the operator, or somebody who is gone.
alter table teams add column founder uuid references accounts on delete set null;

update teams t set founder = (
  select m.account from team_members m
   where m.team = t.id and m.role = 'admin' order by m.created_at, m.account limit 1);

create index teams_by_founder on teams (founder) where founder is not null;
