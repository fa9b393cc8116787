-- +goose Up
CREATE TABLE meta (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    cursor INTEGER NOT NULL, -- last journal position whose effect is here
    now    INTEGER NOT NULL  -- newest receive time seen, Unix ms
);
INSERT INTO meta (one, cursor, now) VALUES (1, 0, 0);

-- One device's view of one lane of a segment, and the last minutes it saw.
CREATE TABLE series (
    id      INTEGER PRIMARY KEY,
    segment TEXT    NOT NULL,
    lane    INTEGER NOT NULL,
    device  TEXT    NOT NULL,
    recent  BLOB    NOT NULL,
    UNIQUE (segment, lane, device)
);

-- Exact additive sums of five minutes from t (Unix ms) on.
CREATE TABLE bucket (
    series     INTEGER NOT NULL,
    t          INTEGER NOT NULL,
    sm         INTEGER NOT NULL,
    kr         INTEGER NOT NULL,
    kb         INTEGER NOT NULL,
    ktb        INTEGER NOT NULL,
    unknown    INTEGER NOT NULL,
    covered_ms INTEGER NOT NULL, -- time that was counted
    speed_n    INTEGER NOT NULL, -- vehicles with a speed
    pace       INTEGER NOT NULL, -- sum of their paces
    blind_ms   INTEGER NOT NULL, -- time with a speed and without counts
    blind_pace INTEGER NOT NULL,
    seen       INTEGER NOT NULL, -- our clock when it last grew, Unix ms: old data that is replayed is kept as long as new
    PRIMARY KEY (series, t)
) WITHOUT ROWID;

-- Closures set over the API.
CREATE TABLE closure (
    id          TEXT PRIMARY KEY,
    site        TEXT    NOT NULL,
    segment     TEXT    NOT NULL,
    begins      INTEGER NOT NULL, -- Unix ms
    ends        INTEGER NOT NULL, -- Unix ms, 0 open
    reason      TEXT    NOT NULL,
    note        TEXT    NOT NULL,
    places_lost INTEGER           -- NULL: all
) WITHOUT ROWID;

-- +goose Down
DROP TABLE closure;
DROP TABLE bucket;
DROP TABLE series;
DROP TABLE meta;
