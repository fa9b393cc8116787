-- +goose Up
-- A checksum a row (sqlite.SumColumn); the migration after this one fills it.
ALTER TABLE token ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
