-- What is no longer kept of what a hosting was promised, as the leader last saw it: where, what is short, what would mend it.
alter table hostings add column if not exists broken jsonb;
create index if not exists hostings_broken on hostings (id) where broken is not null;
