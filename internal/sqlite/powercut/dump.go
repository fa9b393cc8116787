package powercut

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/sqlite"
)

// Dump renders everything that a file's tables hold, but for goose's own.
func Dump(tb testing.TB, path string) string {
	tb.Helper()
	text, err := Content(context.WithoutCancel(tb.Context()), path)
	require.NoError(tb, err)
	return text
}

// Content is Dump for a file that may be damaged.
func Content(ctx context.Context, path string) (text string, err error) {
	db, err := sqlite.Open(ctx, path, sqlite.Options{ReadOnly: true, Readers: 1})
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tables, err := texts(ctx, db.R, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'goose%' AND name NOT LIKE 'sqlite%' ORDER BY name")
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, table := range tables {
		if err := dumpTable(ctx, &b, db.R, table); err != nil {
			return "", fmt.Errorf("%s: %w", table, err)
		}
	}
	return b.String(), nil
}

func dumpTable(ctx context.Context, b *strings.Builder, db *sql.DB, table string) error {
	columns, err := texts(ctx, db, "SELECT name FROM pragma_table_info('"+table+"') ORDER BY cid")
	if err != nil {
		return err
	}
	list := `"` + strings.Join(columns, `", "`) + `"`
	rows, err := db.QueryContext(ctx, "SELECT "+list+` FROM "`+table+`" ORDER BY `+list) //nolint:gosec // the names are those of the file itself
	if err != nil {
		return err
	}
	defer rows.Close()
	fmt.Fprintf(b, "%s (%s)\n", table, list)
	values := make([]any, len(columns))
	into := make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		fmt.Fprintln(b, values...)
	}
	return rows.Err()
}

func texts(ctx context.Context, db *sql.DB, query string) (list []string, err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, rows.Err()
}
