-- Plans of moves as they were proposed: what each was to reach, and the moves without language. Nothing is done by them.
create table if not exists plans (
  id text primary key,
  party_id text not null references parties (id),
  goal jsonb not null,
  plan jsonb not null,
  created_at timestamptz not null,
  expires_at timestamptz not null
);
create index if not exists plans_party on plans (party_id, id);
create index if not exists plans_expires on plans (expires_at);
