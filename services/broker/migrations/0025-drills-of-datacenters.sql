-- A drill of a datacenter, beside or for real, is made of drills of the hostings that run there: each a drill as any other, with
-- `parent_id`, and begun once.
alter table drills add column if not exists parent_id text references drills (id);
create unique index if not exists drills_parts on drills (parent_id, hosting_id) where parent_id is not null;
create unique index if not exists drills_one_live_whole on drills (datacenter_id) where state in ('running', 'aborting') and kind <> 'plan';

-- What such a drill is to go by, in the order in which it begins: written with its row, so that it does not depend on what comes or
-- goes meanwhile. `fits`: a drill of this kind can say something of it. `why`: it is not drilled, for good. `tried`: how many others
-- were over when it was last tried and had to wait.
create table if not exists drill_parts (
  drill_id text not null references drills (id),
  position integer not null,
  hosting_id text not null references hostings (id),
  fits boolean not null,
  why text,
  tried integer,
  primary key (drill_id, hosting_id)
);

-- How often each hosting has to pass a shadow or live drill, and since when: by plans of its own, and by those of the datacenter where
-- it runs, as far as a drill of that kind can be of it. The one definition of what is overdue.
create index if not exists drill_plans_datacenter on drill_plans (datacenter_id) where datacenter_id is not null;
create or replace view drill_periods as
  select d.hosting_id, d.created_at as since, d.period_days from drill_plans d where d.hosting_id is not null and d.kind <> 'plan'
  union all
  select p.hosting_id, greatest(d.created_at, p.created_at), d.period_days
  from placements p join drill_plans d on d.datacenter_id = p.datacenter_id join hostings h on h.id = p.hosting_id
  where p.role = 'primary' and p.wanted = 'present' and d.kind <> 'plan' and coalesce(h.spec #>> '{fallback,mode}', 'none') <> 'none'
    and not (d.kind = 'shadow' and coalesce(h.spec -> 'data', '[]') <> '[]')
    and not (d.kind = 'live' and coalesce(h.spec #>> '{fallback,activity}', 'pinned') = 'shared');
