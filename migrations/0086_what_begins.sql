-- What a dyno and a build begin as is not for whoever adds them to say: the API's role may add
-- them, and must not be able to add one that is up already.
alter table dynos alter column state set default 'starting';
alter table builds alter column status set default 'pending', alter column step set default 'prepare';
