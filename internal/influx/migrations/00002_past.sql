-- +goose Up
-- Where a stream was in the last minutes, and which lives of its server it has
-- met: what a server may have forgotten is sent again, also after our own restart.
CREATE TABLE past (
  target TEXT NOT NULL,
  stream TEXT NOT NULL,
  data   TEXT NOT NULL,      -- JSON
  sum    INTEGER NOT NULL,
  PRIMARY KEY (target, stream)
) STRICT, WITHOUT ROWID;
-- +goose Down
DROP TABLE past;
