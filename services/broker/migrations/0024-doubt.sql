-- A restored store is in doubt of hostings until datacenters have said what they run: of how many, and who has not said it yet.
alter table fallback_state add column if not exists in_doubt integer not null default 0;
alter table fallback_state add column if not exists awaited text[] not null default '{}';

-- People who say that a datacenter which is waited for is off, and stays so. Void when it is heard, and when doubt begins or ends.
create table if not exists attestations (
  datacenter_id text not null references datacenters (id),
  person text not null,
  statement text not null,
  said_at timestamptz not null,
  primary key (datacenter_id, person)
);
