-- +goose Up
CREATE TABLE item (
  id INTEGER PRIMARY KEY AUTOINCREMENT,   -- an id is never used again
  ident BLOB NOT NULL UNIQUE,             -- keyed hash of source, device, topic, reason and what was sent
  recv INTEGER NOT NULL,                  -- Unix ms
  source TEXT NOT NULL,
  device TEXT NOT NULL,
  topic TEXT NOT NULL,
  place INTEGER NOT NULL,                 -- in the message's array
  reason TEXT NOT NULL,
  detail TEXT NOT NULL,
  seq INTEGER,
  verdict TEXT,                           -- NULL: not tried again yet
  size INTEGER NOT NULL,                  -- bytes of sealed
  sealed BLOB NOT NULL                    -- nonce, then AES-256-GCM over size and SHA-256 of all that was sent, and its first 64 KiB
) STRICT;
CREATE INDEX item_device ON item (device, id);
CREATE TABLE counter (name TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT;
