-- Which of an app's builds comes next, and which of a region's, is asked every second while any wait.
create index pending_builds on builds (app, created_at, id) where status = 'pending';
