-- What agents are known by. A join token is used once, by one key; only its SHA-256 is kept. A datacenter's name is bound to
-- the key of its agent, and a key to one datacenter.
create table if not exists join_tokens (
  id text primary key,
  datacenter_id text not null references datacenters (id),
  token_hash bytea not null unique,
  replaces boolean not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  used_by bytea,
  created_at timestamptz not null,
  check ((used_at is null) = (used_by is null))
);
create table if not exists agents (
  datacenter_id text primary key references datacenters (id),
  key_hash bytea not null unique,
  certificate text not null,
  not_after timestamptz not null,
  agent_version text,
  clock_skew_ms bigint,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
-- An agent whose certificate has run out waits here for a person.
create table if not exists enrolments (
  id text primary key,
  datacenter_id text not null references datacenters (id),
  key_hash bytea not null,
  state text not null,
  approved_at timestamptz,
  created_at timestamptz not null
);
create unique index if not exists enrolments_one_open on enrolments (key_hash) where state <> 'used';
-- Replicas of the broker that run, so that an agent can be told how many it has to be connected to.
create table if not exists replicas (
  id text primary key,
  seen_at timestamptz not null
);
-- The desk's own authorities; `sealed` is the key under envelope encryption. One that was replaced is trusted until it retires.
create table if not exists authorities (
  id text primary key,
  certificate text not null,
  sealed bytea not null,
  not_after timestamptz not null,
  retires_at timestamptz,
  created_at timestamptz not null
);
