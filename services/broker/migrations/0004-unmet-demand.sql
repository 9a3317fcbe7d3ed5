-- Why a hosting has no place and what it came to: {rule, resource, amounts}, written and cleared with its decision. The
-- register of unmet demand is the hostings that want to run and have it.
alter table hostings add column if not exists unmet jsonb;
create index if not exists hostings_unmet on hostings (party_id) where unmet is not null and wanted = 'running';
