-- Which hostings must be where another runs, and which must be apart from another or from all of a system. They are of one party.
create table if not exists bonds (
  hosting_id text not null references hostings (id) on delete cascade,
  kind text not null check (kind in ('together', 'apart')),
  other_id text references hostings (id) on delete cascade,
  system_id text references systems (id),
  check (num_nonnulls(other_id, system_id) = 1)
);
create unique index if not exists bonds_once on bonds (hosting_id, kind, coalesce(other_id, system_id));
create index if not exists bonds_other on bonds (other_id);
create index if not exists bonds_system on bonds (system_id);
create index if not exists hostings_system on hostings (system_id) where wanted <> 'ended';

-- Each bond from both of its ends. To be apart holds for whoever comes second; who is to be where another runs keeps that one
-- there, once it is placed. What has ended binds nobody.
create or replace view bonded as
  with either as (
    select b.hosting_id, b.kind, b.other_id from bonds b where b.other_id is not null
    union all
    select b.other_id, b.kind, b.hosting_id from bonds b join hostings h on h.id = b.hosting_id
      where b.other_id is not null and (b.kind = 'apart' or h.scheduling = 'placed')
    union all
    select b.hosting_id, b.kind, o.id from bonds b join hostings o on o.system_id = b.system_id
      where o.id <> b.hosting_id and o.wanted <> 'ended'
    union all
    select o.id, b.kind, b.hosting_id from bonds b join hostings o on o.system_id = b.system_id
      where o.id <> b.hosting_id and o.wanted <> 'ended')
  select e.hosting_id, e.kind, e.other_id, o.name from either e join hostings o on o.id = e.other_id where o.wanted <> 'ended';
