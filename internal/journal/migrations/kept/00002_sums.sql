-- +goose Up
-- A checksum a row (sqlite.SumColumn); the migration after this one fills it.
ALTER TABLE inventory ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
ALTER TABLE retired ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
