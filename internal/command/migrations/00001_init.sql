-- +goose Up
CREATE TABLE command (
  no       INTEGER PRIMARY KEY,   -- in the order in which they were ordered
  id       TEXT NOT NULL UNIQUE,  -- what the device is told
  device   TEXT NOT NULL,
  kind     TEXT NOT NULL,         -- time, reboot, tariff
  args     BLOB NOT NULL,         -- a JSON object; empty: none
  token    TEXT NOT NULL,         -- its id: who ordered it
  at       INTEGER NOT NULL,      -- Unix ms, as the rest: ordered
  expires  INTEGER NOT NULL,
  state    TEXT NOT NULL,         -- queued, sent, acknowledged, failed, expired
  sends    INTEGER NOT NULL,
  sent     INTEGER NOT NULL,      -- last, 0: never
  answered INTEGER NOT NULL,      -- 0: not
  detail   TEXT NOT NULL,         -- the device's own words, or why it failed
  sum      INTEGER NOT NULL       -- checksum of the row
) STRICT;
CREATE INDEX command_device ON command (device, no);
CREATE INDEX command_open ON command (no) WHERE state IN ('queued', 'sent');
