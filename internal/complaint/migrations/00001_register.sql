-- +goose Up
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL,
    sum   INTEGER NOT NULL
) WITHOUT ROWID;

-- The last number of a year: ids have no holes.
CREATE TABLE numbered (
    year INTEGER PRIMARY KEY,
    last INTEGER NOT NULL,
    sum  INTEGER NOT NULL
);

-- Complaints as JSON, by year and number; beside it what they are looked up by.
CREATE TABLE complaint (
    num      INTEGER PRIMARY KEY, -- year * 1000000 + number
    updated  INTEGER NOT NULL,
    received INTEGER NOT NULL,
    source   TEXT NOT NULL,
    service  TEXT NOT NULL,
    agency   TEXT NOT NULL,
    state    TEXT NOT NULL,
    money    INTEGER NOT NULL,
    public   INTEGER NOT NULL,
    deadline INTEGER NOT NULL, -- of what is to be done next, Unix ms; 0: nothing
    alarm    INTEGER NOT NULL, -- when it is told up the line, Unix ms; 0: no more
    erase    INTEGER NOT NULL, -- when the reporter's name goes, Unix ms; 0: none is there
    day      TEXT NOT NULL,    -- the working day on which an anomaly was filed
    digest   TEXT NOT NULL,    -- what further incidents of the day join; '' for one of one subject
    theirs   TEXT NOT NULL,
    data     BLOB NOT NULL,
    sum      INTEGER NOT NULL
);
CREATE INDEX complaint_alarm ON complaint (alarm) WHERE alarm > 0;
CREATE INDEX complaint_erase ON complaint (erase) WHERE erase > 0;
CREATE INDEX complaint_day ON complaint (agency, day) WHERE day <> '';
CREATE INDEX complaint_digest ON complaint (digest) WHERE digest <> '';
CREATE INDEX complaint_open ON complaint (state, agency) WHERE deadline > 0;
CREATE INDEX complaint_updated ON complaint (updated);
CREATE UNIQUE INDEX complaint_theirs ON complaint (theirs) WHERE theirs <> '';

-- What became of each incident that a complaint is made of: one, once.
CREATE TABLE incident (
    id        TEXT PRIMARY KEY,
    complaint INTEGER NOT NULL, -- 0: it waits, or was over before it was filed
    rule      TEXT NOT NULL,
    subject   TEXT NOT NULL,
    state     TEXT NOT NULL,    -- waiting, filed, over
    rank      INTEGER NOT NULL, -- of its severity
    since     INTEGER NOT NULL, -- when we read of it, Unix ms
    data      BLOB NOT NULL,
    sum       INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX incident_subject ON incident (rule, subject, complaint) WHERE complaint > 0;
CREATE INDEX incident_waiting ON incident (rank DESC, since, id) WHERE state = 'waiting';
CREATE INDEX incident_complaint ON incident (complaint) WHERE complaint > 0;

-- What happened to complaints, append only.
CREATE TABLE history (
    id        INTEGER PRIMARY KEY,
    complaint INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    theirs    TEXT NOT NULL,
    data      BLOB NOT NULL,
    sum       INTEGER NOT NULL
);
CREATE INDEX history_complaint ON history (complaint, id);
CREATE INDEX history_at ON history (at, id);
CREATE UNIQUE INDEX history_theirs ON history (theirs) WHERE theirs <> '';

CREATE TABLE photo (
    id        TEXT PRIMARY KEY,
    complaint INTEGER NOT NULL, -- 0: none has taken it yet
    at        INTEGER NOT NULL,
    type      TEXT NOT NULL,
    data      BLOB NOT NULL,
    sum       INTEGER NOT NULL
);
CREATE INDEX photo_at ON photo (at, complaint);

-- What is to be filed with the city's system.
CREATE TABLE delivery (
    complaint INTEGER PRIMARY KEY,
    state     TEXT NOT NULL,
    tries     INTEGER NOT NULL, -- that were certainly not taken
    looks     INTEGER NOT NULL, -- that did not find it since began
    began     INTEGER NOT NULL, -- of the last try that may have been taken, Unix ms; 0: none
    next      INTEGER NOT NULL,
    since     INTEGER NOT NULL,
    token     TEXT NOT NULL,
    why       TEXT NOT NULL,
    sum       INTEGER NOT NULL
);
CREATE INDEX delivery_due ON delivery (next, complaint) WHERE state IN ('waiting', 'sending');
