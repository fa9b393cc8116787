-- +goose Up
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;

-- Places that are counted as one: a site's class, or the classes that share.
CREATE TABLE space (
    id        INTEGER PRIMARY KEY,
    site      TEXT NOT NULL,
    class     INTEGER NOT NULL,
    detection TEXT NOT NULL,
    configs   TEXT NOT NULL
);

-- What one device says of one space.
CREATE TABLE series (
    id     INTEGER PRIMARY KEY,
    space  INTEGER NOT NULL REFERENCES space (id),
    device TEXT NOT NULL,
    class  INTEGER NOT NULL,
    ttls   TEXT NOT NULL
);

-- Observations of a series from lo (Unix ms) to the next chunk's lo.
CREATE TABLE chunk (
    series  INTEGER NOT NULL,
    lo      INTEGER NOT NULL,
    touched INTEGER NOT NULL,
    data    BLOB NOT NULL,
    PRIMARY KEY (series, lo)
) WITHOUT ROWID;

-- Six hours of five-minute roll-ups; id is space << 24 | hours / 6.
CREATE TABLE rollup (
    id      INTEGER PRIMARY KEY,
    touched INTEGER NOT NULL,
    data    BLOB NOT NULL
);

CREATE TABLE stay (
    space    INTEGER NOT NULL,
    until_at INTEGER NOT NULL,
    series   INTEGER NOT NULL,
    from_at  INTEGER NOT NULL,
    known    INTEGER NOT NULL,
    touched  INTEGER NOT NULL,
    PRIMARY KEY (space, until_at, series)
) WITHOUT ROWID;

-- Closures that were set over the API.
CREATE TABLE closure (
    id       TEXT PRIMARY KEY,
    site     TEXT NOT NULL,
    segment  TEXT NOT NULL,
    from_at  INTEGER NOT NULL,
    until_at INTEGER NOT NULL,
    reason   TEXT NOT NULL,
    note     TEXT NOT NULL,
    places   INTEGER
) WITHOUT ROWID;
