-- +goose Up
-- A checksum a row (sqlite.SumColumn) of what is answered from; the migration after
-- this one fills it. The hashes of the entries are compared by verify only.
ALTER TABLE entry ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
ALTER TABLE record ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
ALTER TABLE party ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
ALTER TABLE book ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
