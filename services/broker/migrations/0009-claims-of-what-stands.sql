-- A standby has a claim for each of its parts: `standing` for what it runs all the time, which counts in full like a primary's,
-- and `standby` for what comes down there when a failure domain is lost, which is shared. A warm one has both.
drop index if exists claims_one_per_placement;
create unique index if not exists claims_one_per_part on claims (placement_id, kind) where released_at is null;
