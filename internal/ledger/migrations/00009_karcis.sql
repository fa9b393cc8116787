-- +goose Up
-- Of acts after the position since, sold karcis are in the sums of their day,
-- and credits of PBJT are in blocks. What was booked before stays as it was.
ALTER TABLE cursor ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
UPDATE cursor SET since = pos;

-- A block of credits of PBJT is told to the public once three taxpayers are in
-- it (see blocks.go); 0: no PBJT, or booked before there were blocks.
CREATE TABLE credit_by_block (
  month    INTEGER NOT NULL,   -- year * 12 + month - 1, of credited_on
  account  TEXT NOT NULL,
  masa     INTEGER NOT NULL,   -- the same, of period_from
  operator TEXT NOT NULL,
  npwpd    TEXT NOT NULL,
  site     TEXT NOT NULL,
  kind     TEXT NOT NULL,      -- SSPD, STS, settlement
  count    INTEGER NOT NULL,
  gross    INTEGER NOT NULL,
  fee      INTEGER NOT NULL,
  net      INTEGER NOT NULL,
  sum      INTEGER NOT NULL,
  block    INTEGER NOT NULL,
  PRIMARY KEY (month, account, masa, operator, npwpd, site, kind, block)
) WITHOUT ROWID;
INSERT INTO credit_by_block SELECT month, account, masa, operator, npwpd, site, kind, count, gross, fee, net, sum, 0 FROM credit;
DROP TABLE credit;
ALTER TABLE credit_by_block RENAME TO credit;
