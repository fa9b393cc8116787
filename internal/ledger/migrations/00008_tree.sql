-- +goose Up
-- The Merkle tree of the entries: entry n is leaf n - 1. A tile holds up to 256
-- hashes of a row of the tree, as C2SP tlog-tiles has them.
CREATE TABLE tile (
  level INTEGER NOT NULL,     -- 8 rows of the tree each
  n     INTEGER NOT NULL,     -- place in the level
  data  BLOB NOT NULL,        -- hashes of 32 bytes, one behind the other
  sum   INTEGER NOT NULL,
  PRIMARY KEY (level, n)
) WITHOUT ROWID;

-- What was signed. It is no fold of the journal, and belongs to the backup.
CREATE TABLE checkpoint (
  id   INTEGER PRIMARY KEY,   -- 1, 2, 3 ... without holes
  size INTEGER NOT NULL,      -- leaves
  key  TEXT NOT NULL,         -- public key of the signature
  note TEXT NOT NULL,         -- the signed checkpoint, C2SP tlog-checkpoint
  sum  INTEGER NOT NULL
);
