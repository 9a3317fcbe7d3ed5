-- A hosting's name is its namespace in every cluster: taken while anything of it may stand there, which ends with the hosting.
alter table hostings drop constraint if exists hostings_name_key;
create unique index if not exists hostings_one_living_name on hostings (name) where wanted <> 'ended';
create index if not exists hostings_name on hostings (name);

-- What a party has at a time, and quotes that are past their use.
create index if not exists hostings_living on hostings (party_id) where wanted <> 'ended';
create index if not exists datacenters_operator on datacenters (operator_id);
create index if not exists quotes_valid_until on quotes (valid_until);
