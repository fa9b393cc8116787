package ledger

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/sqlite"
)

// proofTables are what the proof rests on: entries, their records, the index by
// which they are found, sums, tree and checkpoints.
var proofTables = []struct{ name, key string }{
	{"entry", "n"},
	{"record", "pos"},
	{"act", "pos"},
	{"paper", "device, number, class, amount, at, boot, seq, pos"},
	{"meter", "device, boot, at, seq, pos"},
	{"listing", "party, at, pos"},
	{"book", "day, shelf"},
	{"line", "type, ref"},
	{"credit", "month, account, masa, operator, npwpd, site, kind"},
	{"karcis", "series, state, first"},
	{"filed", "day, shelf"},
	{"tile", "level, n"},
	{"checkpoint", "id"},
}

// TestAThousandBytes changes one byte of one stored value at a time, whichever
// it is, and holds verify to name the table, and the entry, position or row
// that was changed.
func TestAThousandBytes(t *testing.T) {
	times := 1000
	if testing.Short() || raceDetector {
		times = 120
	}
	k := keepWithActs(t)
	s := testSigner(t)
	for i := range int64(6) {
		if i > 0 { // another key each time: another checkpoint, though nothing came
			s = testSigner(t)
		}
		_, err := k.f.Sign(t.Context(), s, day0+i*hour)
		require.NoError(t, err)
	}
	path := filepath.Join(t.TempDir(), "ledger.db")
	require.NoError(t, k.f.db.CopyTo(t.Context(), path))
	o := k.options()
	o.Key = s.Key.Public().String()
	v, err := Verify(t.Context(), path, o)
	require.NoError(t, err)
	require.EqualValues(t, 6, v.Checkpoints)

	db, err := sqlite.Open(t.Context(), path, sqlite.Options{Sync: "OFF"})
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	chance := rand.New(rand.NewPCG(5, uint64(times)))
	hit := map[string]int{}
	for done := 0; done < times; {
		table := proofTables[chance.IntN(len(proofTables))]
		columns := columnsOf(t, k.f, table.name)
		c := &change{db: db, table: table.name, column: columns[chance.IntN(len(columns))]}
		var rows int
		require.NoError(t, db.R.QueryRow("SELECT count(*) FROM "+table.name).Scan(&rows))
		if !c.choose(t, chance, table.key, chance.IntN(rows)) {
			continue
		}
		if !c.apply(t) {
			continue // SQLite itself refuses it: there is such a row, or it is none
		}
		_, err := Verify(t.Context(), path, o)
		var d *DisagreementError
		require.ErrorAs(t, err, &d, "%s", c)
		c.require(t, d)
		c.undo(t)
		hit[table.name]++
		done++
	}
	require.Len(t, hit, len(proofTables))
	_, err = Verify(t.Context(), path, o)
	require.NoError(t, err, "all was put back")
	t.Log(hit)
}

// change is one byte of a stored value.
type change struct {
	db            *sqlite.DB
	table, column string
	row           int // from 1 on, in the order of the key
	where         string
	key           []any
	was, now      any
	entry, pos    int64 // that the row is of; 0: it has none
	moved         []any // the key after the change
}

func (c *change) String() string {
	return fmt.Sprintf("%s.%s row %d: %v became %v", c.table, c.column, c.row, c.was, c.now)
}

// choose picks the value of a row and changes one byte of it.
func (c *change) choose(t *testing.T, chance *rand.Rand, key string, at int) bool {
	t.Helper()
	c.row = at + 1
	keys := strings.Split(key, ", ")
	values := make([]any, len(keys)+1)
	into := make([]any, len(values))
	for i := range values {
		into[i] = &values[i]
	}
	query := fmt.Sprintf("SELECT %s, %s FROM %s ORDER BY %s LIMIT 1 OFFSET %d", c.column, key, c.table, key, at)
	require.NoError(t, c.db.R.QueryRow(query).Scan(into...))
	c.was, c.key = values[0], values[1:]
	c.where = strings.Join(keys, " = ? AND ") + " = ?"
	switch was := c.was.(type) {
	case int64:
		now := was ^ int64(1+chance.IntN(255))<<(8*chance.IntN(8))
		c.now = now
	case string:
		if was == "" {
			return false
		}
		b := []byte(was)
		b[chance.IntN(len(b))] ^= byte(1 + chance.IntN(127))
		c.now = string(b)
	case []byte:
		b := slices.Clone(was)
		b[chance.IntN(len(b))] ^= byte(1 + chance.IntN(255))
		c.now = b
	default:
		return false // NULL has no byte
	}
	c.moved = slices.Clone(c.key)
	if i := slices.Index(keys, c.column); i >= 0 {
		c.moved[i] = c.now
	}
	if i := slices.Index(keys, "pos"); i >= 0 {
		c.pos, _ = c.key[i].(int64)
	}
	if c.table == "entry" {
		c.entry, _ = c.key[0].(int64)
	}
	return true
}

func (c *change) apply(t *testing.T) bool {
	t.Helper()
	return c.set(c.now, c.key) == nil
}

func (c *change) set(value any, key []any) error {
	_, err := c.db.W.ExecContext(context.Background(), fmt.Sprintf("UPDATE %s SET %s = ? WHERE %s", c.table, c.column, c.where), append([]any{value}, key...)...)
	return err
}

func (c *change) undo(t *testing.T) {
	t.Helper()
	require.NoError(t, c.set(c.was, c.moved), "%s", c)
}

// require holds the report to the place of the change.
func (c *change) require(t *testing.T, d *DisagreementError) {
	t.Helper()
	require.Equal(t, c.table, d.Table, "%s: %s", c, d)
	switch {
	case c.table == "entry" && c.column == "n":
		moved, _ := c.now.(int64)
		require.True(t, int64(d.Entry) == c.entry || d.Entry == uint64(moved), "%s: %s", c, d)
	case c.table == "entry":
		require.EqualValues(t, c.entry, d.Entry, "%s: %s", c, d)
	case c.column == "pos" && c.pos != 0:
		moved, _ := c.now.(int64)
		require.True(t, int64(d.Pos) == c.pos || d.Pos == uint64(moved), "%s: %s", c, d)
	case c.pos != 0:
		require.EqualValues(t, c.pos, d.Pos, "%s: %s", c, d)
	case c.table == "checkpoint":
		id, _ := c.key[0].(int64)
		moved, _ := c.moved[0].(int64)
		require.True(t, strings.Contains(d.Detail, fmt.Sprintf("number %d", id)) || strings.Contains(d.Detail, fmt.Sprintf("number %d", moved)), "%s: %s", c, d)
	case slices.Equal(c.key, c.moved): // by rows in the order of the key
		require.Contains(t, d.Detail, "row "+strconv.Itoa(c.row)+" ", "%s: %s", c, d)
	default: // the row stands elsewhere now: the first place at which the order is another
		require.Contains(t, d.Detail, "row ", "%s: %s", c, d)
	}
}
