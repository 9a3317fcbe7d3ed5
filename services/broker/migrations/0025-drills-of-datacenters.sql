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
