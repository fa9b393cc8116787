-- +goose Up
-- Who is in quarantine is told from this index alone (Quarantine.Heard): the rows themselves hold what was sent.
CREATE INDEX item_heard ON item (device, source, reason, recv, verdict) WHERE device <> '' AND coalesce(verdict, '') NOT IN ('accepted', 'duplicate');
