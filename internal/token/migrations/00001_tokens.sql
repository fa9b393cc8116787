-- +goose Up
CREATE TABLE token (
  id        TEXT PRIMARY KEY,
  hash      BLOB NOT NULL UNIQUE,   -- SHA-256 of the whole secret, 32 bytes
  role      TEXT NOT NULL,
  name      TEXT NOT NULL,
  operator  TEXT NOT NULL,
  agency    TEXT NOT NULL,
  created   INTEGER NOT NULL,       -- Unix ms, as the rest
  expires   INTEGER NOT NULL,       -- 0: never
  revoked   INTEGER NOT NULL,       -- 0: not revoked
  last_used INTEGER NOT NULL        -- 0: never; to about a minute
);
