-- +goose Up
-- A checksum a row (sqlite.SumColumn); the migration after this one fills it.
ALTER TABLE meta ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
ALTER TABLE device ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
ALTER TABLE day ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
