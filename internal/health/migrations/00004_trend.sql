-- +goose Up
-- How a device's battery sinks, and its newest gaps: what is slow to learn.
CREATE TABLE trend (
    device INTEGER PRIMARY KEY,
    data   BLOB NOT NULL,
    sum    INTEGER NOT NULL
);
