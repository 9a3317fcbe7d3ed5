-- What people want of a hosting that stands: {state, wanted, spec, startMs, endMs, …}. It is what it was until the scheduler has
-- decided. `standing`: components and volumes, as the engine counts, that are claimed until less is seen to be applied.
alter table hostings add column if not exists change jsonb;
alter table hostings add column if not exists standing jsonb;
create index if not exists hostings_changing on hostings (id) where change ->> 'state' in ('pending', 'applying');

-- To what a claim shrinks: the quota there follows it first. `settled`: the cluster says that no more than that is used.
-- A claim of kind `coming` counts in full and runs nothing: for who is to take over there by plan.
alter table claims add column if not exists target jsonb;
alter table claims add column if not exists settled boolean not null default false;
-- Rises with what a placement is to have, so that its cluster is looked at; `applied`: the one that stands there.
alter table placements add column if not exists revision bigint not null default 0;
alter table placements add column if not exists applied bigint not null default 0;
create index if not exists placements_revised on placements (datacenter_id) where applied < revision;

-- A plan that is carried out: {state, at, by, reason, …}, and its moves, a row for each hosting with where it is to stand. One
-- without a plan is of a hosting that is to be where there is room for its change.
alter table plans add column if not exists application jsonb;
create table if not exists moves (
  id text primary key,
  plan_id text references plans (id),
  hosting_id text not null references hostings (id),
  step integer not null,
  phase integer not null,
  target jsonb not null,
  state text not null,
  outcome text,
  operation_id text,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create unique index if not exists moves_one_live on moves (hosting_id) where state in ('waiting', 'running');
create index if not exists moves_plan on moves (plan_id, step);
create index if not exists plans_applying on plans (id) where application ->> 'state' = 'running';

-- Why and since when a datacenter is being withdrawn; it is withdrawn once nothing is left there.
alter table datacenters add column if not exists withdrawal jsonb;
