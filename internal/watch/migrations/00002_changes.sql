-- +goose Up
-- The order in which incidents were written last: a reader with a cursor of its
-- own misses nothing. The migration after this one makes the checksums anew.
ALTER TABLE incident ADD COLUMN seq INTEGER NOT NULL DEFAULT 0;
UPDATE incident SET seq = r.n FROM (SELECT opened, id, row_number() OVER (ORDER BY opened, id) AS n FROM incident) r
    WHERE r.opened = incident.opened AND r.id = incident.id;
CREATE INDEX incident_seq ON incident (seq);
INSERT INTO meta (name, value, sum) SELECT 'seq', coalesce(max(seq), 0), 0 FROM incident;

-- What is remembered of many small subjects, packed, some dozens a row.
CREATE TABLE pack (
    kind TEXT NOT NULL,
    n    INTEGER NOT NULL,
    data BLOB NOT NULL,
    sum  INTEGER NOT NULL,
    PRIMARY KEY (kind, n)
) WITHOUT ROWID;
