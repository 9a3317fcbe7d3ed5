-- A preemptible hosting may have to give way to one of a higher priority. Both are then `awaiting`: the one until its absence is
-- confirmed everywhere, when it is pending again; the other, which `nominated` says where and for whose going ({victims, primary,
-- standby}), until the claims of those have ended there. Who gave way is tried again until it has a place.
alter table hostings add column if not exists nominated jsonb;
alter table hostings add column if not exists gave_way boolean not null default false;
create index if not exists hostings_nominated on hostings (id) where nominated is not null;
