-- +goose Up
-- The books: entries that never change, and the records that they rest on.
CREATE TABLE entry (
  n    INTEGER PRIMARY KEY,   -- 1, 2, 3 ... without holes from the first day on
  data BLOB NOT NULL,         -- canonical bytes, see entry.go
  hash BLOB NOT NULL          -- SHA-256 over the hash before it, data, and the record of a reading's own entry
);

-- Every money reading word for word as the journal had it. What stands after
-- `data` is derived: it changes when a later reading corrects an earlier one.
CREATE TABLE record (
  pos    INTEGER PRIMARY KEY, -- in the journal
  recv   INTEGER NOT NULL,    -- Unix ms
  marks  INTEGER NOT NULL,    -- journal.Flags
  source TEXT NOT NULL,
  data   BLOB NOT NULL,       -- journal.EncodeReading
  own    INTEGER NOT NULL,    -- number of the reading's own entry
  eff    INTEGER NOT NULL,    -- number of the entry by which it counts now, 0: it does not
  party  INTEGER NOT NULL,    -- where eff counts it; where it does not: where its own entry stands
  flags  INTEGER NOT NULL     -- Flags as they are known now
);

-- Who owes what to whom: site, operator, account and rate, as words.
CREATE TABLE party (
  id        INTEGER PRIMARY KEY,
  site      TEXT NOT NULL,
  kecamatan TEXT NOT NULL,
  operator  TEXT NOT NULL,
  npwpd     TEXT NOT NULL,
  nopd      TEXT NOT NULL,
  levy      TEXT NOT NULL,
  account   TEXT NOT NULL,
  rate      INTEGER NOT NULL  -- millionths of what was paid that are due, -1 not known
);

CREATE TABLE device (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL
);

-- The papers of a device by number: one seek finds the receipt of a void, or
-- of a reprint.
CREATE TABLE paper (
  device INTEGER NOT NULL,
  number TEXT NOT NULL,
  class  INTEGER NOT NULL,    -- 0 receipt, 1 void that counts, 2 reprint, 3 void that does not
  amount INTEGER NOT NULL,
  at     INTEGER NOT NULL,    -- Unix ms; of a void some minutes later, see paper.go
  boot   INTEGER NOT NULL,    -- -1: the device counts no boots
  seq    INTEGER NOT NULL,
  pos    INTEGER NOT NULL,
  PRIMARY KEY (device, number, class, amount, at, boot, seq, pos)
) WITHOUT ROWID;

-- The readings of a device in its own order, with its running totals.
CREATE TABLE meter (
  device INTEGER NOT NULL,
  boot   INTEGER NOT NULL,    -- -1: the device counts no boots
  at     INTEGER NOT NULL,    -- 0 where boots order the readings
  seq    INTEGER NOT NULL,
  pos    INTEGER NOT NULL,
  count  INTEGER,             -- total_count
  amount INTEGER,             -- total_amount
  PRIMARY KEY (device, boot, at, seq, pos)
) WITHOUT ROWID;

-- The readings of a place in the order of their time.
CREATE TABLE listing (
  party INTEGER NOT NULL,
  at    INTEGER NOT NULL,
  pos   INTEGER NOT NULL,
  PRIMARY KEY (party, at, pos)
) WITHOUT ROWID;

-- Sums of a day, eight parties a row, packed (see book.go).
CREATE TABLE book (
  day   INTEGER NOT NULL,     -- days since 1970-01-01, in the city's zone
  shelf INTEGER NOT NULL,     -- party / 8
  data  BLOB NOT NULL,
  PRIMARY KEY (day, shelf)
) WITHOUT ROWID;

CREATE TABLE cursor (
  id    INTEGER PRIMARY KEY CHECK (id = 1),
  pos   INTEGER NOT NULL,
  rules INTEGER NOT NULL      -- version of the rules that made the entries
);
INSERT INTO cursor (id, pos, rules) VALUES (1, 0, 1);
