-- Which of an app's commands ended since another of its releases' waits is asked again and again.
create index ended_one_offs on dynos (app, updated_at)
  where formation is null and state = 'down';
