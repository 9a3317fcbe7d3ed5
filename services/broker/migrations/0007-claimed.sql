-- What is claimed of each datacenter, summed, so that the check of a commit costs what was added and not what stands there:
-- by kind, failure domain ('' for primaries), resource and period. A claim that began when it was made has always been, for
-- nothing is asked about the past: so claims without a start to come share one sum. Whoever changes claims has the
-- datacenter locked, and so these rows.
create table if not exists claimed (
  datacenter_id text not null,
  kind text not null,
  domain text not null,
  resource text not null,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  amount numeric not null,
  primary key (datacenter_id, kind, domain, resource, starts_at, ends_at)
) with (fillfactor = 50);

create or replace function claim_parts(kind text, domains text[], amounts jsonb, starts_at timestamptz, created_at timestamptz)
returns table (domain text, resource text, since timestamptz, amount numeric) language sql immutable as $$
  select d, a.key, case when starts_at <= created_at then '-infinity' else starts_at end, a.value::numeric
  from unnest(case when kind = 'standby' then domains else array[''] end) as d cross join jsonb_each_text(amounts) as a
$$;

create or replace function claims_came() returns trigger language plpgsql as $$
begin
  insert into claimed as sums
    select c.datacenter_id, c.kind, p.domain, p.resource, p.since, c.ends_at, sum(p.amount)
    from came c cross join claim_parts(c.kind, c.domains, c.amounts, c.starts_at, c.created_at) p
    where c.released_at is null group by 1, 2, 3, 4, 5, 6
    on conflict (datacenter_id, kind, domain, resource, starts_at, ends_at) do update set amount = sums.amount + excluded.amount;
  return null;
end $$;

create or replace function claims_went() returns trigger language plpgsql as $$
begin
  update claimed s set amount = s.amount - w.amount
    from (select c.datacenter_id, c.kind, p.domain, p.resource, p.since, c.ends_at, sum(p.amount) as amount
      from went c cross join claim_parts(c.kind, c.domains, c.amounts, c.starts_at, c.created_at) p
      where c.released_at is null group by 1, 2, 3, 4, 5, 6) w
    where (s.datacenter_id, s.kind, s.domain, s.resource, s.starts_at, s.ends_at)
      = (w.datacenter_id, w.kind, w.domain, w.resource, w.since, w.ends_at);
  delete from claimed where amount = 0 and datacenter_id in (select datacenter_id from went);
  return null;
end $$;

create or replace trigger claims_inserted after insert on claims
  referencing new table as came for each statement execute function claims_came();
create or replace trigger claims_updated_from after update on claims
  referencing old table as went for each statement execute function claims_went();
create or replace trigger claims_updated_to after update on claims
  referencing new table as came for each statement execute function claims_came();
create or replace trigger claims_deleted after delete on claims
  referencing old table as went for each statement execute function claims_went();

delete from claimed;
insert into claimed
  select c.datacenter_id, c.kind, p.domain, p.resource, p.since, c.ends_at, sum(p.amount)
  from claims c cross join claim_parts(c.kind, c.domains, c.amounts, c.starts_at, c.created_at) p
  where c.released_at is null group by 1, 2, 3, 4, 5, 6;
