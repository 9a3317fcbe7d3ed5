-- Where names of a hosting are announced. A row is there before anything is announced, and goes when it is known to be withdrawn, so
-- that no announcement is forgotten where a hosting ran before.
create table if not exists announcements (
  hosting_id text not null references hostings (id) on delete cascade,
  datacenter_id text not null references datacenters (id),
  -- Known to stand there.
  stands boolean not null default false,
  problem text,
  changed_at timestamptz not null,
  primary key (hosting_id, datacenter_id)
);
