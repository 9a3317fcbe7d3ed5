-- When drills are held, and of what: of one hosting, or of all that depends on one datacenter. `next_at` is when the next is
-- due, null when there is none to come; `last` says what became of the one before.
create table if not exists drill_plans (
  id text primary key,
  hosting_id text references hostings (id),
  datacenter_id text references datacenters (id),
  party_id text not null references parties (id),
  kind text not null,
  cron text not null,
  time_zone text not null,
  window_minutes integer not null,
  period_days integer not null,
  next_at timestamptz,
  last jsonb,
  created_by text not null,
  person text not null,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  check (num_nonnulls(hosting_id, datacenter_id) = 1)
);
create index if not exists drill_plans_due on drill_plans (next_at) where next_at is not null;
create index if not exists drill_plans_hosting on drill_plans (hosting_id) where hosting_id is not null;

-- One drill, from its first step to its report. `steps` are [{name, startedAt, endedAt, note}], each written before it is taken.
-- `from_id` is where the hosting ran when it began, `to_id` where it is to come up. What is needed to go on after a restart is
-- in `facts`. `report` is kept as it is given out, to the byte, so that `sha256` is of what anybody reads.
create table if not exists drills (
  id text primary key,
  plan_id text,
  due_at timestamptz,
  hosting_id text references hostings (id),
  datacenter_id text references datacenters (id),
  party_id text not null references parties (id),
  kind text not null,
  state text not null,
  from_id text references datacenters (id),
  to_id text references datacenters (id),
  steps jsonb not null default '[]',
  findings jsonb not null default '[]',
  facts jsonb not null default '{}',
  aborted_because text,
  started_by text not null,
  person text not null,
  request_id text,
  expires_at timestamptz not null,
  report text,
  sha256 text,
  signatures jsonb not null default '[]',
  finished_at timestamptz,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  check (num_nonnulls(hosting_id, datacenter_id) = 1),
  check ((report is null) = (sha256 is null))
);
create unique index if not exists drills_one_live on drills (hosting_id) where state in ('running', 'aborting');
create unique index if not exists drills_once on drills (plan_id, due_at) where plan_id is not null;
create index if not exists drills_live on drills (id) where state in ('running', 'aborting');
create index if not exists drills_hosting on drills (hosting_id, finished_at);

-- A report is written once, and what was signed stays.
create or replace function drills_keep() returns trigger language plpgsql as $$
begin
  if old.report is not null and (new.report is distinct from old.report or new.sha256 is distinct from old.sha256) then
    raise exception 'the report of drill % is written', old.id;
  end if;
  if not new.signatures @> old.signatures then
    raise exception 'what was signed of drill % stays', old.id;
  end if;
  return new;
end $$;
create or replace trigger drills_kept before update on drills for each row execute function drills_keep();

-- A claim of kind `drill` is what a drill runs at a standby beside what that claims, on nodes of its own; null for all others,
-- which are on the nodes of their placement.
alter table claims add column if not exists witness jsonb;
