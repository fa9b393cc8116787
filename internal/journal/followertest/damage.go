package followertest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/sqlite"
)

// damaged changes one value of the file at a time, in each column that is no
// key, as a flipped bit would: SQLite sees nothing. The follower refuses to
// open, or each of its answers is an error or as it was. (A key that changed is told
// by verify: who looks for it finds no row.)
func (s *suite[F]) damaged(t *testing.T) {
	t.Helper()
	r := s.run(t)
	r.apply(len(s.Entries))
	r.flush()
	require.NoError(t, r.f.Close())
	whole := t.TempDir()
	require.NoError(t, os.CopyFS(whole, os.DirFS(r.dir)))
	random := random(77)
	changed, refused, failed := 0, 0, 0
	for _, c := range valuesOf(t, filepath.Join(whole, s.File)) {
		for range 2 {
			dir := t.TempDir()
			require.NoError(t, os.CopyFS(dir, os.DirFS(whole)))
			if !c.change(t, random, filepath.Join(dir, s.File)) {
				continue
			}
			changed++
			f, why := s.tryOpen(t, dir)
			if why != "" {
				require.Contains(t, why, s.File[:strings.IndexByte(s.File, '.')], "%s: it names its file", c)
				refused++
				continue
			}
			wrong := false
			for name, q := range s.Questions {
				answer, err := q.answer(t.Context(), f)
				if err != nil {
					wrong = true
					continue
				}
				require.Equal(t, s.answersAt(t, len(s.Entries))[name], answer, "%s is served as good: %s", c, name)
			}
			if wrong {
				failed++
			}
			require.NoError(t, f.Close())
		}
	}
	t.Logf("%d values changed: %d times it did not open, %d times a question failed", changed, refused, failed)
	require.Positive(t, refused+failed)
}

// tryOpen opens a follower that may refuse to.
func (s *suite[F]) tryOpen(t *testing.T, dir string) (f F, why string) {
	t.Helper()
	tb := &refusal{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f = s.Open(tb, dir)
	}()
	<-done
	return f, tb.why
}

// refusal keeps why something failed; the test goes on.
type refusal struct {
	testing.TB
	why string
}

// Errorf keeps why.
func (r *refusal) Errorf(format string, args ...any) { r.why += fmt.Sprintf(format, args...) }

// FailNow ends the goroutine.
func (r *refusal) FailNow() { runtime.Goexit() }

// value is a column of a table that has checksums.
type value struct {
	table, column string
	key           []string
}

// String names it.
func (v value) String() string { return v.table + "." + v.column }

func valuesOf(t *testing.T, path string) (all []value) {
	t.Helper()
	db, err := sqlite.Open(t.Context(), path, sqlite.Options{ReadOnly: true})
	require.NoError(t, err)
	defer db.Close()
	rows, err := db.R.QueryContext(t.Context(), `SELECT s.name, c.name, c.pk FROM sqlite_schema s, pragma_table_info(s.name) c
		WHERE s.type = 'table' AND EXISTS (SELECT 1 FROM pragma_table_info(s.name) WHERE name = ?) ORDER BY s.name, c.pk DESC`, sqlite.SumColumn)
	require.NoError(t, err)
	defer rows.Close()
	keys := map[string][]string{}
	for rows.Next() {
		var table, column string
		var pk int
		require.NoError(t, rows.Scan(&table, &column, &pk))
		if pk > 0 {
			keys[table] = append(keys[table], column)
			continue
		}
		all = append(all, value{table, column, keys[table]})
	}
	require.NoError(t, rows.Err())
	require.NotEmpty(t, all)
	return all
}

// change changes the value in some row; false where there is none.
func (v value) change(t *testing.T, random *rand.Rand, path string) bool {
	t.Helper()
	db, err := sqlite.Open(t.Context(), path, sqlite.Options{Sync: "OFF"})
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	var rows int
	require.NoError(t, db.W.QueryRowContext(t.Context(), "SELECT count(*) FROM "+v.table).Scan(&rows))
	if rows == 0 {
		return false
	}
	values := make([]any, 1+len(v.key))
	into := make([]any, len(values))
	for i := range values {
		into[i] = &values[i]
	}
	require.NoError(t, db.W.QueryRowContext(t.Context(), fmt.Sprintf("SELECT %s, %s FROM %s ORDER BY %s LIMIT 1 OFFSET ?", v.column, strings.Join(v.key, ", "), v.table, strings.Join(v.key, ", ")), random.IntN(rows)).Scan(into...))
	switch x := values[0].(type) {
	case nil:
		values[0] = int64(1)
	case int64:
		values[0] = x ^ 1<<random.IntN(40)
	case string:
		values[0] = x + "x"
	case []byte:
		if len(x) == 0 {
			return false
		}
		x[random.IntN(len(x))] ^= 1 << random.IntN(8)
	default:
		require.Fail(t, "a value of another type", "%T", x)
	}
	_, err = db.W.ExecContext(t.Context(), fmt.Sprintf("UPDATE %s SET %s = ? WHERE %s = ?", v.table, v.column, strings.Join(v.key, " = ? AND ")), values...)
	if err != nil { // a constraint of the table holds
		return false
	}
	return true
}
