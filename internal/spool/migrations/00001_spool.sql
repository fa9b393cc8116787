-- +goose Up
-- What was printed between two ends on a tapped line.
CREATE TABLE job (
  id INTEGER PRIMARY KEY,    -- in the order in which they began; never used again
  source TEXT NOT NULL,
  began INTEGER NOT NULL,    -- our clock when its first byte had come, Unix ms
  ended INTEGER NOT NULL,    -- and its last, as far as it is kept
  whole INTEGER NOT NULL,    -- 1: it was seen from its beginning on
  ending TEXT NOT NULL,      -- why it ended, '' as long as it goes on
  state INTEGER NOT NULL,    -- 0 goes on, 1 waits to be handed on, 2 was taken
  boot INTEGER NOT NULL,     -- its identity once it was handed on, 0: not yet
  seq INTEGER NOT NULL,
  pieces INTEGER NOT NULL,
  size INTEGER NOT NULL,     -- bytes of the stream
  digest BLOB NOT NULL,      -- nonce, then AES-256-GCM over the SHA-256 of the stream; empty as long as it goes on
  sum INTEGER NOT NULL
) STRICT;
CREATE INDEX job_state ON job (source, state, id);
CREATE TABLE piece (
  job INTEGER NOT NULL,
  n INTEGER NOT NULL,        -- 0..
  sealed BLOB NOT NULL,      -- nonce, then AES-256-GCM over bytes of the stream
  sum INTEGER NOT NULL,
  PRIMARY KEY (job, n)
) STRICT;
CREATE TABLE counter (name TEXT PRIMARY KEY, n INTEGER NOT NULL, sum INTEGER NOT NULL) STRICT;
-- Who has read what was printed.
CREATE TABLE opened (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,       -- our clock, Unix ms
  job INTEGER NOT NULL,
  who TEXT NOT NULL,
  sum INTEGER NOT NULL
) STRICT;
