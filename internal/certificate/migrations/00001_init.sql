-- +goose Up
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL,
    sum   INTEGER NOT NULL
) WITHOUT ROWID;

-- A place's certificate of a day (20260302), and those of its devices that are
-- new with it: lines of JSON, deflated. place is site/ID or segment/ID.
CREATE TABLE place (
    date     INTEGER NOT NULL,
    place    TEXT NOT NULL,
    revision INTEGER NOT NULL,
    data     BLOB NOT NULL,
    sum      INTEGER NOT NULL,
    PRIMARY KEY (date, place, revision)
) WITHOUT ROWID;

-- The list of a day's certificates, deflated JSON, and its entry in the books.
CREATE TABLE city (
    date     INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    entry    INTEGER NOT NULL, -- 0: it is not in the books yet
    data     BLOB NOT NULL,
    sum      INTEGER NOT NULL,
    PRIMARY KEY (date, revision)
) WITHOUT ROWID;
CREATE INDEX city_unbooked ON city (date, revision) WHERE entry = 0;

-- Days of which places changed since their list was made.
CREATE TABLE unlisted (
    date INTEGER PRIMARY KEY,
    sum  INTEGER NOT NULL
);

-- Devices of closed days of which something came, and up to which position.
CREATE TABLE amend (
    date   INTEGER NOT NULL,
    device TEXT NOT NULL,
    pos    INTEGER NOT NULL,
    onward INTEGER NOT NULL, -- 1: days after it may differ too
    sum    INTEGER NOT NULL,
    PRIMARY KEY (date, device)
) WITHOUT ROWID;
