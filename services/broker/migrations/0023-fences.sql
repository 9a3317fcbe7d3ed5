-- What can cut a datacenter off from outside of it, such as a switch of its power or its storage, by a call over HTTPS. The token
-- is sealed.
create table if not exists fences (
  datacenter_id text primary key references datacenters (id),
  url text not null,
  ca text,
  token bytea not null,
  declared_by text not null,
  declared_at timestamptz not null
);

-- Written before the fence is asked, so that it is asked the same again after a crash; one at a time for a datacenter.
create table if not exists fence_requests (
  id text primary key,
  datacenter_id text not null references datacenters (id),
  state text not null,
  -- What the fence said: its proof, or why it could not.
  answer text,
  asked_at timestamptz not null,
  answered_at timestamptz
);
create unique index if not exists fence_requests_one_open on fence_requests (datacenter_id) where state = 'asking';
