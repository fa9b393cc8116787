package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/pressly/goose/v3"
)

func migrate(ctx context.Context, db *sql.DB, o Options) error {
	if o.Migrations == nil {
		return db.PingContext(ctx)
	}
	options := []goose.ProviderOption{goose.WithDisableGlobalRegistry(true)}
	if o.SumsAt > 0 {
		options = append(options, goose.WithGoMigrations(goose.NewGoMigration(o.SumsAt, &goose.GoFunc{RunTx: fillSums}, nil)))
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, o.Migrations, options...)
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	if err := checkSchema(ctx, db); err != nil {
		return err
	}
	if err := begin(ctx, db); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	pending, err := p.HasPending(ctx)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if pending { // one that is cut off leaves no sum that is wrong
		if err := setSchemaSum(ctx, db, 0); err != nil {
			return err
		}
		if _, err := p.Up(ctx); err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
	}
	return sumSchema(ctx, db)
}

// begin makes goose's table of versions where there is none, as goose would.
// Goose tries it again for three seconds where it fails: a journal that begins
// a day on a full disk must not stand still for so long.
func begin(ctx context.Context, db *sql.DB) error {
	var tables int
	err := db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?", goose.DefaultTablename).Scan(&tables)
	if err != nil || tables > 0 {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, query := range []string{
		"CREATE TABLE " + goose.DefaultTablename + ` (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		version_id INTEGER NOT NULL,
		is_applied INTEGER NOT NULL,
		tstamp TIMESTAMP DEFAULT (datetime('now'))
	)`,
		"INSERT INTO " + goose.DefaultTablename + " (version_id, is_applied) VALUES (0, TRUE)",
	} {
		if _, err := tx.ExecContext(ctx, query); err != nil {
			return err
		}
	}
	return tx.Commit()
}
