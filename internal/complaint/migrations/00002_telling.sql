-- +goose Up
-- Updates of ours that the city's system is to hear of.
CREATE TABLE telling (
    id        INTEGER PRIMARY KEY, -- of the update
    complaint INTEGER NOT NULL,
    state     TEXT NOT NULL,       -- waiting, sending, sent, unsure, refused, none
    looks     INTEGER NOT NULL,    -- that did not find it since began
    began     INTEGER NOT NULL,    -- of a try that may have been taken, Unix ms; 0: none
    next      INTEGER NOT NULL,
    since     INTEGER NOT NULL,
    theirs    TEXT NOT NULL,       -- the id that they gave it
    why       TEXT NOT NULL,
    sum       INTEGER NOT NULL
);
CREATE INDEX telling_open ON telling (complaint, id) WHERE state IN ('waiting', 'sending');
CREATE INDEX telling_theirs ON telling (complaint, theirs) WHERE theirs <> '';

-- One that is unsure is looked for again.
DROP INDEX delivery_due;
CREATE INDEX delivery_due ON delivery (next, complaint) WHERE state IN ('waiting', 'sending', 'unsure');

-- E-Monev: what was received in a month, and what was open at its end.
CREATE INDEX complaint_received ON complaint (received);
CREATE INDEX complaint_ended ON complaint (json_extract(CAST(data AS TEXT), '$.Closed'), received);
