-- +goose Up
-- A checksum a row (sqlite.SumColumn); the migration after this one fills it.
ALTER TABLE segment ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cursor ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
ALTER TABLE place RENAME COLUMN crc32c TO sum;
