-- +goose Up
-- Where the readings of each device lie in the journal's days that are not
-- archived yet. A segment is a run of positions within one day; its rows are
-- written once, in the order of the table, and removed when the day is archived.
CREATE TABLE segment (
  first  INTEGER PRIMARY KEY,  -- position; last is that of its last reading
  last   INTEGER NOT NULL,
  min_at INTEGER NOT NULL,     -- Unix ms, of all its readings
  max_at INTEGER NOT NULL,
  kinds  INTEGER NOT NULL      -- a bit (1 << kind) for each kind of reading
) STRICT;
CREATE TABLE place (
  segment INTEGER NOT NULL,    -- first
  device  TEXT NOT NULL,
  crc32c  INTEGER NOT NULL,    -- of segment, device and data
  data    BLOB NOT NULL,       -- chunks (index.go)
  PRIMARY KEY (segment, device)
) STRICT, WITHOUT ROWID;
CREATE TABLE cursor (
  id       INTEGER PRIMARY KEY CHECK (id = 1),
  since    INTEGER NOT NULL,   -- the segments are whole from here
  pos      INTEGER NOT NULL,   -- up to here
  recorded TEXT NOT NULL       -- date of the newest day of which the journal says that it is archived
) STRICT;
INSERT INTO cursor (id, since, pos, recorded) VALUES (1, 0, 0, '');
