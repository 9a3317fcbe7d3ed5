-- A quote that holds its place does so as a hosting that nobody has asked for yet: wanted 'held', named after the quote, with
-- placements and claims as any other. Taken over it becomes the hosting; when its time is up its rows go. `hosting_id` refers
-- to it and outlives it, so it is no foreign key.
alter table quotes add column if not exists hosting_id text;
alter table quotes add column if not exists held_until timestamptz;
create index if not exists hostings_held on hostings (party_id) where wanted = 'held';
