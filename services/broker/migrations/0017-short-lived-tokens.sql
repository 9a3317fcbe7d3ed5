-- A token may be made from another, for a short while and with its rights. It is worth something only while that other is, and
-- goes when that goes.
alter table tokens add column if not exists parent_id text references tokens (id) on delete cascade;
create index if not exists tokens_of_parent on tokens (parent_id, expires_at) where parent_id is not null;
create index if not exists tokens_short_lived on tokens (expires_at) where parent_id is not null;
