-- +goose Up
-- How far each stream of each target is.
CREATE TABLE cursor (
  target TEXT NOT NULL,
  stream TEXT NOT NULL,      -- readings, rollups, books
  pos    INTEGER NOT NULL,   -- of the journal; books: number of the entry
  sent   INTEGER NOT NULL,   -- rollups: every five minutes that ended by then were sent, Unix ms
  sum    INTEGER NOT NULL,
  PRIMARY KEY (target, stream)
) STRICT, WITHOUT ROWID;
-- What must be sent again, because something came late.
CREATE TABLE mark (
  target  TEXT NOT NULL,
  subject TEXT NOT NULL,     -- site:ID or road:ID
  since   INTEGER NOT NULL,  -- from these five minutes on, Unix ms
  sum     INTEGER NOT NULL,
  PRIMARY KEY (target, subject)
) STRICT, WITHOUT ROWID;
-- +goose Down
DROP TABLE mark;
DROP TABLE cursor;
