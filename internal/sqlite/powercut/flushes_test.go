package powercut_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/sqlite"
	"github.com/simpang-id/simpang/internal/sqlite/powercut"
)

var summing = fstest.MapFS{"00001_init.sql": {Data: []byte("-- +goose Up\nCREATE TABLE s (pos INTEGER, sum INTEGER);\nINSERT INTO s VALUES (0, 0);\nCREATE TABLE pad (n INTEGER PRIMARY KEY, b BLOB);\n")}}

// summer adds numbers up. Its mistake, where it makes it: sum and cursor are
// saved one after the other.
type summer struct {
	db       *sqlite.DB
	mistake  bool
	pos, sum int
	flushed  int
}

func openSummer(ctx context.Context, path string, level sqlite.Sync, mistake bool) (*summer, error) {
	db, err := sqlite.Open(ctx, path, sqlite.Options{Sync: level, Migrations: summing})
	if err != nil {
		return nil, err
	}
	s := &summer{db: db, mistake: mistake}
	err = db.R.QueryRowContext(ctx, "SELECT pos, sum FROM s").Scan(&s.pos, &s.sum)
	s.flushed = s.pos
	return s, err
}

func (s *summer) Cursor() uint64 { return uint64(s.flushed) }

func (s *summer) Apply(numbers []int) error {
	for _, n := range numbers {
		if n > s.pos { // the numbers are positions too
			s.pos, s.sum = n, s.sum+n
		}
	}
	return nil
}

func (s *summer) Flush() error {
	sum := func(tx *sql.Tx) error {
		if _, err := tx.Exec("INSERT OR REPLACE INTO pad VALUES (?, zeroblob(900))", s.pos); err != nil {
			return err
		}
		_, err := tx.Exec("UPDATE s SET sum = ?", s.sum)
		return err
	}
	cursor := func(tx *sql.Tx) error {
		_, err := tx.Exec("UPDATE s SET pos = ?", s.pos)
		return err
	}
	var err error
	if s.mistake {
		if err = s.db.Tx(context.Background(), sum); err == nil {
			err = s.db.Tx(context.Background(), cursor)
		}
	} else {
		err = s.db.Tx(context.Background(), func(tx *sql.Tx) error {
			if err := sum(tx); err != nil {
				return err
			}
			return cursor(tx)
		})
	}
	if err == nil {
		s.flushed = s.pos
	}
	return err
}

func (s *summer) Close() error { return s.db.Close() }

// failing is a test that may fail.
type failing struct {
	testing.TB

	said   string
	failed bool
}

func (f *failing) Errorf(format string, args ...any) {
	f.failed = true
	f.said += fmt.Sprintf(format, args...)
}
func (f *failing) FailNow()                { panic(f) }
func (f *failing) Failed() bool            { return f.failed }
func (f *failing) Logf(s string, a ...any) { f.said += fmt.Sprintf(s, a...) }

func TestFlushesCatchesBugs(t *testing.T) {
	var numbers []int
	for n := range 120 {
		numbers = append(numbers, n+1)
	}
	run := func(level sqlite.Sync, durable, mistake bool) (f *failing) {
		f = &failing{TB: t}
		defer func() {
			if got := recover(); got != nil && got != any(f) {
				panic(got)
			}
		}()
		powercut.Flushes[int]{
			File: "sum.db", Batches: powercut.InBatches(numbers, 4), Durable: durable, Every: 4,
			Open: func(tb testing.TB, path string) (powercut.Follower[int], error) {
				tb.Helper()
				return openSummer(context.WithoutCancel(tb.Context()), path, level, mistake)
			},
			Answers: func(_ testing.TB, f powercut.Follower[int]) any {
				s, _ := f.(*summer)
				return s.sum
			},
		}.Run(f, 600)
		return f
	}
	for name, c := range map[string]struct {
		level            sqlite.Sync
		durable, mistake bool
		caught           string
	}{
		"right, durable":             {level: sqlite.Full, durable: true},
		"right, may lose flushes":    {level: sqlite.Normal},
		"two transactions":           {level: sqlite.Full, durable: true, mistake: true, caught: "does not hold what belongs to it"},
		"two transactions, may lose": {level: sqlite.Normal, mistake: true, caught: "does not hold what belongs to it"},
		"durable it says, NORMAL":    {level: sqlite.Normal, durable: true, caught: "a flush that returned is gone"},
		"no sync":                    {level: "OFF", caught: "POWERCUT_POINT="},
	} {
		f := run(c.level, c.durable, c.mistake)
		require.Equal(t, c.caught != "", f.failed, "%s: %s", name, f.said)
		require.Contains(t, f.said, c.caught, name)
		if f.failed {
			require.Contains(t, f.said, "POWERCUT_POINT=", "%s: how to run it alone is said", name)
		}
	}
}
