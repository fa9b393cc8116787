-- +goose Up
-- What staff wrote over the API and who read money, word for word as the
-- journal had it, with what became of it.
CREATE TABLE act (
  pos     INTEGER PRIMARY KEY, -- in the journal
  recv    INTEGER NOT NULL,    -- Unix ms
  marks   INTEGER NOT NULL,    -- journal.Flags
  source  TEXT NOT NULL,
  type    INTEGER NOT NULL,    -- journal.Type
  data    BLOB NOT NULL,       -- journal.EncodeBody
  own     INTEGER NOT NULL,    -- number of its first entry
  outcome INTEGER NOT NULL,    -- Outcome
  faults  TEXT NOT NULL,       -- why it has no effect, as JSON
  sum     INTEGER NOT NULL
);
CREATE INDEX act_type ON act (type, pos, recv);

-- The lines of acts that have an effect, by their reference.
CREATE TABLE line (
  type   INTEGER NOT NULL,     -- journal.Type
  ref    TEXT NOT NULL,
  n      INTEGER NOT NULL,     -- its entry
  pos    INTEGER NOT NULL,     -- its act
  day    INTEGER NOT NULL,     -- days since 1970-01-01
  about  TEXT NOT NULL,        -- declarations: period, taxpayer and object; deposits: first day of the period; else empty
  undone INTEGER NOT NULL,     -- entry that takes it back or stands for it, 0 none
  sum    INTEGER NOT NULL,
  PRIMARY KEY (type, ref)
) WITHOUT ROWID;
CREATE INDEX line_n ON line (type, n);
CREATE INDEX line_day ON line (type, day);
CREATE INDEX line_about ON line (about) WHERE about != '';

-- Sums of credits, by the month of the credit and the month that it is for.
CREATE TABLE credit (
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
  PRIMARY KEY (month, account, masa, operator, npwpd, site, kind)
) WITHOUT ROWID;

-- Ranges of numbers of karcis, by series and state.
CREATE TABLE karcis (
  series TEXT NOT NULL,
  state  TEXT NOT NULL,
  first  INTEGER NOT NULL,
  last   INTEGER NOT NULL,
  class  INTEGER NOT NULL,
  price  INTEGER NOT NULL,
  n      INTEGER NOT NULL,     -- its entry
  sum    INTEGER NOT NULL,
  PRIMARY KEY (series, state, first)
) WITHOUT ROWID;

-- How the sums as they were filed differ from those as known now: what came
-- after the close of its month is taken from its day and added to a day of the
-- next open month. Packed as in book.
CREATE TABLE filed (
  day   INTEGER NOT NULL,
  shelf INTEGER NOT NULL,
  data  BLOB NOT NULL,
  sum   INTEGER NOT NULL,
  PRIMARY KEY (day, shelf)
) WITHOUT ROWID;
