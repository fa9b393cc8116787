-- +goose Up
-- What outlives a retired day: the versions of the inventory that it accepted,
-- and what ties the day after it to it.
CREATE TABLE inventory (
  pos INTEGER PRIMARY KEY,
  recv INTEGER NOT NULL,           -- Unix ms
  body BLOB NOT NULL,              -- canonical bytes (body.go)
  crc32c INTEGER NOT NULL          -- of body
) STRICT;
CREATE TABLE retired (
  date TEXT PRIMARY KEY,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  hash BLOB NOT NULL               -- of the day's last batch
) STRICT;
