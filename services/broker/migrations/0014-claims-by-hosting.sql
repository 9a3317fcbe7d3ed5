-- Who reads hostings with their claims finds the claims by hosting, instead of going through all claims for each.
create index if not exists claims_hosting on claims (hosting_id) where released_at is null;
