-- +goose Up
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;

-- What was heard of a device last.
CREATE TABLE device (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    data BLOB NOT NULL
);

-- A device's day (20260302): the sequence numbers of each of its runs.
CREATE TABLE day (
    device  INTEGER NOT NULL,
    date    INTEGER NOT NULL,
    touched INTEGER NOT NULL,
    data    BLOB NOT NULL,
    PRIMARY KEY (device, date)
) WITHOUT ROWID;
