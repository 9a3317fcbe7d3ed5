-- How far the objects of a hosting stand at its standby, or at the site where it ran before: one row per placement there.
-- Never what is in them. `behind_since` is null while nothing is lacking; `differences` names what is, at most fifty.
create table if not exists mirrors (
  placement_id text primary key references placements (id) on delete cascade,
  hosting_id text not null references hostings (id) on delete cascade,
  synced_at timestamptz,
  behind_since timestamptz,
  objects integer,
  problem text,
  differences jsonb not null default '[]',
  -- What holds data: how old the last copy of each is that can be brought back.
  data jsonb not null default '[]'
);
create index if not exists mirrors_hosting on mirrors (hosting_id);
