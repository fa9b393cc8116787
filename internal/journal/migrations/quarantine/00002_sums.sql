-- +goose Up
-- A checksum a row (sqlite.SumColumn); the migration after this one fills it.
ALTER TABLE item ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
ALTER TABLE counter ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
