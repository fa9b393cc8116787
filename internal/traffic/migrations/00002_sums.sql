-- +goose Up
-- A checksum a row (sqlite.SumColumn); the migration after this one fills it.
ALTER TABLE meta ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
ALTER TABLE series ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
ALTER TABLE bucket ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
ALTER TABLE closure ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
