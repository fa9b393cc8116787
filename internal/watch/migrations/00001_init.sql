-- +goose Up
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL,
    sum   INTEGER NOT NULL
) WITHOUT ROWID;

-- What a detector remembers of its subject, as JSON.
CREATE TABLE state (
    kind    TEXT NOT NULL,
    subject TEXT NOT NULL,
    unit    TEXT NOT NULL,
    data    BLOB NOT NULL,
    sum     INTEGER NOT NULL,
    PRIMARY KEY (kind, subject, unit)
) WITHOUT ROWID;

-- Incidents as JSON, by when they were opened.
CREATE TABLE incident (
    opened INTEGER NOT NULL,
    id     TEXT NOT NULL,
    closed INTEGER NOT NULL, -- 0: it stands
    data   BLOB NOT NULL,
    sum    INTEGER NOT NULL,
    PRIMARY KEY (opened, id)
) WITHOUT ROWID;
CREATE INDEX incident_id ON incident (id);
CREATE INDEX incident_standing ON incident (id) WHERE closed = 0;

-- Who acknowledged an incident: in no journal.
CREATE TABLE ack (
    incident TEXT PRIMARY KEY,
    by_token TEXT NOT NULL,
    note     TEXT NOT NULL,
    at       INTEGER NOT NULL,
    sum      INTEGER NOT NULL
) WITHOUT ROWID;
