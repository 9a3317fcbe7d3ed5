-- Who may run a hosting that may be active at one place only. `row` is what the protocol keeps of it; the columns beside it are
-- of the same moment, for who joins on them. A hosting without a row, which has just been placed, runs nowhere yet.
create table if not exists leases (
  hosting_id text primary key references hostings (id),
  holder text not null references datacenters (id),
  generation bigint not null,
  counter bigint not null,
  -- Its holder's right has ended.
  over text,
  row jsonb not null
);
create index if not exists leases_holder on leases (holder);

-- What was ended at a datacenter whose part in the protocol the desk itself plays: up to and with this epoch.
create table if not exists halts (
  hosting_id text not null references hostings (id),
  datacenter_id text not null references datacenters (id),
  generation bigint not null,
  counter bigint not null,
  primary key (hosting_id, datacenter_id)
);

-- `generation` rises when the store is not known to be whole: put back from a backup, or promoted. `store` is the PostgreSQL
-- that it was, last time. `released`: datacenters that a person said are really lost.
create table if not exists fallback_state (
  only_one boolean primary key default true check (only_one),
  generation bigint not null default 1,
  store text not null default '',
  released text[] not null default '{}'
);
insert into fallback_state default values on conflict do nothing;

-- Until one has renewed under the new rules, whoever runs a hosting goes on; it is offered a first epoch of its own.
insert into leases (hosting_id, holder, generation, counter, row)
  select h.id, p.datacenter_id, 1, 1, jsonb_build_object('hosting', h.id, 'activity', 'pinned', 'policy', 'confirm',
    'epoch', jsonb_build_object('generation', 1, 'counter', 1), 'highest', jsonb_build_object('generation', 1, 'counter', 2),
    'holder', p.datacenter_id, 'peers', jsonb_build_object('version', 0, 'members', '[]'::jsonb), 'leftovers', '[]'::jsonb, 'amnesia', false)
  from hostings h join placements p on p.hosting_id = h.id and p.role = 'primary' and p.wanted = 'present'
  on conflict do nothing;

-- A site that was failed over from is `former` until nothing is left there; there may be several.
drop index if exists placements_one_per_role;
create unique index if not exists placements_one_per_role on placements (hosting_id, role) where wanted <> 'released' and role <> 'former';

-- What the operator says that a datacenter can enforce, {level, stopSeconds}; how long stopping took when it was measured;
-- since when the protocol's wait for it has passed.
alter table datacenters add column if not exists fencing jsonb not null default '{"level": 0, "stopSeconds": 20}';
alter table datacenters add column if not exists measured_stop_seconds double precision;
alter table datacenters add column if not exists lost_since timestamptz;

-- A failover, failback, move or drill of one hosting, from the plan to the end. `steps` are [{name, startedAt, endedAt, note}],
-- each written before it is taken. `forwarded`: the desk has begun with it.
create table if not exists operations (
  id text primary key,
  hosting_id text not null references hostings (id),
  party_id text not null references parties (id),
  kind text not null,
  trigger text not null,
  state text not null,
  reason text,
  plan jsonb not null,
  confirmations jsonb not null default '[]',
  steps jsonb not null default '[]',
  forwarded boolean not null default false,
  requested_by text not null,
  request_id text,
  outcome text,
  expires_at timestamptz,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create unique index if not exists operations_one_live on operations (hosting_id) where state not in ('done', 'aborted');
create index if not exists operations_hosting on operations (hosting_id, id);
create index if not exists operations_live on operations (state, id) where state not in ('done', 'aborted');
