-- Who reads the events of one party or subject goes on from a position: the order of the log, within each.
create index if not exists events_party_order on events (party_id, transaction, sequence);
create index if not exists events_subject_order on events (subject_id, transaction, sequence);
drop index if exists events_subject;
