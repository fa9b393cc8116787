package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
)

// The file's user_version is the checksum of its schema, 0 where it has none: a
// flipped bit in the name of a column would hide the column from CheckSums.

// schemaSum returns the checksum that the schema has and the one that it should
// have.
func schemaSum(ctx context.Context, q querier) (is, stored int32, err error) {
	rows, err := q.QueryContext(ctx, "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name")
	if err != nil {
		return 0, 0, fmt.Errorf("schema: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var all []any
	for rows.Next() {
		var kind, name, table string
		var text sql.NullString
		if err := rows.Scan(&kind, &name, &table, &text); err != nil {
			return 0, 0, fmt.Errorf("schema: %w", err)
		}
		all = append(all, kind, name, table, text.String)
	}
	if err := rows.Err(); err != nil {
		return 0, 0, fmt.Errorf("schema: %w", err)
	}
	version, err := q.QueryContext(ctx, "PRAGMA user_version")
	if err != nil {
		return 0, 0, fmt.Errorf("schema: %w", err)
	}
	defer func() { _ = version.Close() }()
	if version.Next() {
		if err := version.Scan(&stored); err != nil {
			return 0, 0, fmt.Errorf("schema: %w", err)
		}
	}
	return int32(uint32(Sum("sqlite_schema", all...))), stored, version.Err()
}

// checkSchema compares a schema with its checksum, where it has one.
func checkSchema(ctx context.Context, q querier) error {
	is, stored, err := schemaSum(ctx, q)
	if err != nil {
		return err
	}
	if stored != 0 && stored != is {
		return fmt.Errorf("schema: %w", ErrSum)
	}
	return nil
}

// sumSchema gives the schema its checksum where it has none.
func sumSchema(ctx context.Context, db *sql.DB) error {
	is, stored, err := schemaSum(ctx, db)
	if err != nil || stored == is {
		return err
	}
	return setSchemaSum(ctx, db, is)
}

func setSchemaSum(ctx context.Context, db *sql.DB, sum int32) error {
	if _, err := db.ExecContext(ctx, "PRAGMA user_version = "+strconv.Itoa(int(sum))); err != nil {
		return fmt.Errorf("schema: %w", err)
	}
	return nil
}
