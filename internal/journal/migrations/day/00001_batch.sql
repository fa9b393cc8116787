-- +goose Up
-- One row a committed batch. The short columns stand before the bytes, so that
-- reading them touches no overflow page.
CREATE TABLE batch (
  first INTEGER PRIMARY KEY,       -- position of the batch's first entry
  n INTEGER NOT NULL,              -- entries
  readings INTEGER NOT NULL,       -- readings in this file up to and with this batch
  types INTEGER NOT NULL,          -- a bit (1 << type) for each type of entry in the batch
  crc32c INTEGER NOT NULL,         -- of data
  prev_hash BLOB NOT NULL,         -- hash of the batch before, also of the day before; zeros for the very first
  hash BLOB NOT NULL,              -- SHA-256 of prev_hash, first, n, data
  data BLOB NOT NULL               -- the entries (batch.go)
) STRICT;
CREATE INDEX batch_inventory ON batch (first) WHERE types & 16 != 0;
CREATE INDEX batch_closure ON batch (first) WHERE types & 224 != 0;
