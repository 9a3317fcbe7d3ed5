-- Which cluster a datacenter has passed its checks with. One cluster under two names would be offered twice and be its own
-- fallback: checks that run at one instant do not see each other, this index does.
alter table datacenters add column if not exists cluster_uid text;
update datacenters d set cluster_uid = i.facts ->> 'clusterUid' from inventories i
  where i.datacenter_id = d.id and d.cluster_uid is null and d.state not in ('draft', 'checking', 'withdrawn')
    and not exists (select 1 from datacenters other join inventories j on j.datacenter_id = other.id
      where other.id < d.id and other.state <> 'withdrawn' and j.facts ->> 'clusterUid' = i.facts ->> 'clusterUid');
create unique index if not exists datacenters_one_per_cluster on datacenters (cluster_uid) where state <> 'withdrawn';
