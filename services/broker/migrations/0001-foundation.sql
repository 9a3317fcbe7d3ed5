-- The broker's tables. Each statement may run twice. Amounts are integers in jsonb objects, resource → amount:
-- millicores, bytes, pieces. Instants are timestamptz; periods are half-open and 'infinity' is an open end.

create table if not exists parties (
  id text primary key,
  name text not null,
  oin text not null unique check (oin ~ '^[0-9]{20}$'),
  roles text[] not null,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null
);

-- Who holds a bearer token. Only the SHA-256 of a token is kept.
create table if not exists tokens (
  id text primary key,
  token_hash bytea not null unique,
  party_id text not null references parties (id),
  subject text not null,
  role text not null,
  created_at timestamptz not null,
  expires_at timestamptz
);

-- `generation` rises with every change that a placement decision rests on (OpenStack Placement's way): the scheduler's
-- commit names the generation it saw, and a stale one changes no row.
create table if not exists datacenters (
  id text primary key,
  slug text not null unique,
  name text not null,
  operator_id text not null references parties (id),
  spec jsonb not null,
  state text not null,
  contact text not null default 'unknown',
  contact_since timestamptz,
  contact_reason text,
  generation bigint not null default 1,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null
);

-- How a datacenter is reached. `sealed` is the reduced kubeconfig under envelope encryption, `server` what may be shown.
create table if not exists connections (
  datacenter_id text primary key references datacenters (id),
  kind text not null,
  server text not null,
  sealed bytea not null,
  version integer not null default 1,
  updated_at timestamptz not null
);

-- What the cluster says: replaces itself, never edited by people.
create table if not exists inventories (
  datacenter_id text primary key references datacenters (id),
  nodes jsonb not null,
  storage_classes jsonb not null,
  facts jsonb not null,
  observed_at timestamptz not null
);

create table if not exists offers (
  id text primary key,
  datacenter_id text not null references datacenters (id),
  party_id text not null references parties (id),
  amounts jsonb not null,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  quality text not null,
  tariff jsonb not null,
  state text not null,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  check (starts_at < ends_at)
);
create index if not exists offers_datacenter on offers (datacenter_id);

create table if not exists systems (
  id text primary key,
  slug text not null,
  name text not null,
  party_id text not null references parties (id),
  spec jsonb not null,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  unique (party_id, slug)
);

-- Three columns of truth with three writers: `wanted` people, `scheduling` the scheduler, placements.observed the clusters.
create table if not exists hostings (
  id text primary key,
  name text not null unique,
  system_id text not null references systems (id),
  party_id text not null references parties (id),
  spec jsonb not null,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  priority integer not null default 0,
  queue_position bigint generated always as identity,
  wanted text not null,
  scheduling text not null default 'pending',
  decision jsonb,
  price_cents_per_month bigint,
  epoch bigint not null default 0,
  request_id text not null,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  check (starts_at < ends_at)
);
create index if not exists hostings_pending on hostings (priority desc, queue_position) where scheduling = 'pending';
create index if not exists hostings_party on hostings (party_id, id);

create table if not exists placements (
  id text primary key,
  hosting_id text not null references hostings (id),
  datacenter_id text not null references datacenters (id),
  role text not null,
  epoch bigint not null,
  witness jsonb not null,
  wanted text not null,
  observed text not null default 'absent',
  observed_reason text,
  observed_at timestamptz,
  created_at timestamptz not null
);
-- At most one live placement per role, and never two at one site.
create unique index if not exists placements_one_per_role on placements (hosting_id, role) where wanted <> 'released';
create unique index if not exists placements_one_per_site on placements (hosting_id, datacenter_id) where wanted <> 'released';
create index if not exists placements_datacenter on placements (datacenter_id) where wanted <> 'released';

-- Capacity taken. `domains` are the failure domains of the primary; a standby's claim is shared between primaries
-- that cannot fail together, so what a datacenter holds back is the largest sum over one domain.
create table if not exists claims (
  id text primary key,
  placement_id text not null references placements (id),
  hosting_id text not null references hostings (id),
  datacenter_id text not null references datacenters (id),
  kind text not null,
  domains text[] not null,
  amounts jsonb not null,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  released_at timestamptz,
  created_at timestamptz not null
);
create index if not exists claims_datacenter on claims (datacenter_id) where released_at is null;
create unique index if not exists claims_one_per_placement on claims (placement_id) where released_at is null;

create table if not exists quotes (
  id text primary key,
  party_id text not null references parties (id),
  spec jsonb not null,
  decision jsonb not null,
  valid_until timestamptz not null,
  created_at timestamptz not null
);

-- Every change, in the transaction that made it. Readers order by (transaction, sequence) and stay below the oldest
-- running transaction, so that an event that commits late is never skipped.
create table if not exists events (
  sequence bigint generated always as identity primary key,
  transaction xid8 not null default pg_current_xact_id(),
  id text not null,
  type text not null,
  subject_kind text not null,
  subject_id text not null,
  party_id text,
  actor text not null,
  request_id text,
  data jsonb not null,
  at timestamptz not null
);
create index if not exists events_order on events (transaction, sequence);
create index if not exists events_subject on events (subject_id, sequence);

create table if not exists idempotency (
  principal text not null,
  key text not null,
  digest bytea not null,
  status integer not null,
  body jsonb not null,
  headers jsonb not null,
  created_at timestamptz not null,
  primary key (principal, key)
);
create index if not exists idempotency_age on idempotency (created_at);

-- One row. Whoever holds the advisory lock raises the epoch; every commit of a leader names its epoch.
create table if not exists leader (
  only_one boolean primary key default true check (only_one),
  epoch bigint not null,
  holder text not null,
  since timestamptz not null
);
insert into leader (epoch, holder, since) values (0, '', now()) on conflict do nothing;
