-- What Kubernetes clients wrote on the objects of a hosting at the gateway: labels, annotations, and which field manager applied
-- which of them. Nothing is done by them; the hosting itself is as it stands.
create table if not exists hosting_objects (
  hosting_id text not null references hostings (id) on delete cascade,
  kind text not null,
  written jsonb not null,
  primary key (hosting_id, kind)
);
