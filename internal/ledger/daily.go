package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/sqlite"
)

// Groups lists what Daily can group by.
var Groups = []string{"site", "operator", "kecamatan", "account", "class", "method"}

// After some days it is known how long an answer becomes.
const (
	fewDays  = 8
	mostRows = 1 << 17
)

// Daily returns the days of a span, each group of a day one row, sorted by
// date and key. An unknown group or a bad date is a *city.Error of
// KindInvalid.
func (f *Follower) Daily(ctx context.Context, q DailyQuery) ([]DailyRow, error) {
	from, err := parseDate(q.FromDate)
	if err != nil {
		return nil, invalid("from", "write the date as YYYY-MM-DD")
	}
	to, err := parseDate(q.ToDate)
	if err != nil {
		return nil, invalid("to", "write the date as YYYY-MM-DD")
	}
	if !slices.Contains(Groups, q.Group) {
		return nil, invalid("group", "use site, operator, kecamatan, account, class or method")
	}
	s, err := f.snapshot(ctx)
	if err != nil {
		return nil, fmt.Errorf("daily: %w", err)
	}
	defer s.end()
	g := newGrouping(q, s.parties)
	var out []DailyRow
	day, begin, days := from-1, 0, 0
	sortDay := func() { slices.SortFunc(out[begin:], func(a, b DailyRow) int { return cmp.Compare(a.Key, b.Key) }) }
	err = s.cells(ctx, from, to, q.Filed, func(at int32, cells []cell) error {
		if at != day {
			sortDay()
			day, begin = at, len(out)
			if days++; days == fewDays { // the others are much like them
				out = slices.Grow(out, min(len(out)/(fewDays-1)*int(to-at), mostRows))
			}
		}
		g.add(at, cells, &out)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("daily: %w", err)
	}
	sortDay()
	v := f.o.Timeline.Newest(s.cursor)
	names := map[string]string{}
	for i := range out {
		name, ok := names[out[i].Key]
		if !ok {
			name = nameOf(v, q.Group, out[i].Key)
			names[out[i].Key] = name
		}
		out[i].Name = name
	}
	return out, nil
}

func invalid(field, detail string) error {
	return &city.Error{Kind: city.KindInvalid, Message: field + ": " + detail, Fields: []city.FieldError{{Field: field, Detail: detail}}}
}

// cells calls f with each row of the sums in [from, to), by day, as known now
// or as filed. The cells are valid in the call only.
func (s *snapshot) cells(ctx context.Context, from, to int32, filed bool, each func(day int32, cells []cell) error) error {
	query := "SELECT 0, day, shelf, data, sum FROM book WHERE day >= ?1 AND day < ?2"
	if filed {
		query += " UNION ALL SELECT 1, day, shelf, data, sum FROM filed WHERE day >= ?1 AND day < ?2"
	}
	return s.rows(ctx, query+" ORDER BY 2, 3", from, to, each)
}

// lateCells calls f with how the filed sums of a span differ.
func (s *snapshot) lateCells(ctx context.Context, from, to int32, each func(day int32, cells []cell) error) error {
	return s.rows(ctx, "SELECT 1, day, shelf, data, sum FROM filed WHERE day >= ?1 AND day < ?2 ORDER BY 2, 3", from, to, each)
}

// rows reads rows of sums, those of one day and shelf together.
func (s *snapshot) rows(ctx context.Context, query string, from, to int32, each func(day int32, cells []cell) error) error {
	rows, err := s.tx.QueryContext(ctx, query, from, to)
	if err != nil {
		return err
	}
	defer rows.Close()
	var cells, more []cell
	var at int32
	var on int64
	tables := [2]string{"book", "filed"}
	for first := true; rows.Next(); first = false {
		var table int
		var day int32
		var shelf, sum int64
		var data sql.RawBytes
		if err := rows.Scan(&table, &day, &shelf, &data, &sum); err != nil {
			return err
		}
		if err := sqlite.CheckSum(sum, tables[table], int64(day), shelf, []byte(data)); err != nil {
			return fmt.Errorf("%s: %w", dateOf(day), err)
		}
		if more, err = decodeCells(more[:0], data); err != nil {
			return fmt.Errorf("%s: %w", dateOf(day), err)
		}
		if !first && day == at && shelf == on {
			cells = mergeCells(cells, more)
			continue
		}
		if !first {
			if err := each(at, cells); err != nil {
				return err
			}
		}
		at, on = day, shelf
		cells, more = more, cells
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if len(cells) == 0 {
		return nil
	}
	return each(at, cells)
}

// grouping says which parties count, and under which key.
type grouping struct {
	group   string
	parties []party
	keys    []string
	numbers []int // of the parties' keys
	wanted  []bool
	date    string
	day     int32
	rows    []int // of the day by number of the key, class or method: index in the answer + 1
}

func newGrouping(q DailyQuery, parties []party) *grouping {
	g := &grouping{group: q.Group, parties: parties, keys: make([]string, len(parties)), wanted: make([]bool, len(parties)), day: -1 << 31}
	for i := range parties {
		p := &parties[i]
		g.wanted[i] = (q.Operator == "" || p.Operator == q.Operator) && (q.Accounts == nil || slices.Contains(q.Accounts, p.Account))
		switch q.Group {
		case "site":
			g.keys[i] = p.Site
		case "operator":
			g.keys[i] = p.Operator
		case "kecamatan":
			g.keys[i] = p.Kecamatan
		case "account":
			g.keys[i] = p.Account
		}
	}
	known := map[string]int{}
	g.numbers = make([]int, len(parties))
	for i, key := range g.keys {
		n, ok := known[key]
		if !ok {
			n = len(known)
			known[key] = n
		}
		g.numbers[i] = n
	}
	g.rows = make([]int, max(len(known), 16))
	return g
}

func (g *grouping) key(c *cell) string {
	switch g.group {
	case "class":
		return c.class.String()
	case "method":
		return methodWord(c.method)
	default:
		return g.keys[c.party]
	}
}

func (g *grouping) rate(party int32) int64 { return g.parties[party].Rate }

// add adds a row of the sums to the day's rows.
func (g *grouping) add(day int32, cells []cell, out *[]DailyRow) {
	if day != g.day {
		g.day, g.date = day, dateOf(day)
		clear(g.rows)
	}
	dues(cells, g.rate, func(c *cell, due int64) {
		if !g.wanted[c.party] {
			return
		}
		var row *int
		switch g.group {
		case "class":
			row = &g.rows[c.class&15]
		case "method":
			row = &g.rows[min(c.method, methodKarcis)&15]
		default:
			row = &g.rows[g.numbers[c.party]]
		}
		if *row == 0 {
			*out = append(*out, DailyRow{Date: g.date, Key: g.key(c)})
			*row = len(*out)
		}
		r := &(*out)[*row-1]
		if !isKarcis(c.method) {
			r.Receipts += c.receipts
		}
		r.Voids += c.voids
		r.Recorded += city.Rupiah(c.amount)
		r.Due += city.Rupiah(due)
		r.DueUnknown = r.DueUnknown || g.parties[c.party].Rate < 0
	})
}

func nameOf(v *inventory.Version, group, key string) string {
	if v == nil {
		return ""
	}
	switch group {
	case "site":
		if s := v.Site(key); s != nil {
			return s.Name
		}
	case "operator":
		for i := range v.Operators {
			if v.Operators[i].ID == key {
				return v.Operators[i].Name
			}
		}
	case "account":
		return accountName(v, key)
	}
	return ""
}

// accountName returns the account's name from its newest line.
func accountName(v *inventory.Version, account string) string {
	name := ""
	for i := range v.Accounts {
		if v.Accounts[i].Account == account { // sorted by From
			name = v.Accounts[i].Name
		}
	}
	return name
}
