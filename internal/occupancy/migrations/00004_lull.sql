-- +goose Up
-- Silences of a spot's sensor of more than half the time for which it is
-- believed, but no longer than what is kept of it.
CREATE TABLE lull (
    space    INTEGER NOT NULL,
    heard_at INTEGER NOT NULL,
    series   INTEGER NOT NULL,
    from_at  INTEGER NOT NULL,
    until_at INTEGER NOT NULL,
    held     INTEGER NOT NULL,
    states   INTEGER NOT NULL,
    touched  INTEGER NOT NULL,
    sum      INTEGER NOT NULL,
    PRIMARY KEY (space, heard_at, series)
) WITHOUT ROWID;
