-- A hosting that can do with fewer replicas may have got fewer: by component, where that is less than the most it asked. What is
-- claimed was reckoned with these.
alter table hostings add column if not exists granted jsonb;
