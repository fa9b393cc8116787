package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/sqlite"
)

// The bounds of a page of receipts.
const (
	defaultPage = 100
	largestPage = 1000
)

// Receipts returns the receipts of a span of time in the order of their time,
// and the cursor of the next page, "" at the end. A cursor that is none of
// ours is a *city.Error of KindInvalid.
func (f *Follower) Receipts(ctx context.Context, q ReceiptQuery) ([]Receipt, string, error) {
	limit := q.Limit
	if limit <= 0 {
		limit = defaultPage
	}
	limit = min(limit, largestPage)
	after, err := parseCursor(q.After)
	if err != nil {
		return nil, "", err
	}
	if after.at < q.From {
		after = listRow{at: q.From}
	}
	s, err := f.snapshot(ctx)
	if err != nil {
		return nil, "", fmt.Errorf("receipts: %w", err)
	}
	defer s.end()
	rows, err := s.listed(ctx, q, after, limit+1)
	if err != nil {
		return nil, "", fmt.Errorf("receipts: %w", err)
	}
	next := ""
	if len(rows) > limit {
		rows = rows[:limit]
		next = rows[limit-1].cursor()
	}
	read, err := s.tx.PrepareContext(ctx, `SELECT `+recordSelect+`, e.n, e.data, e.hash, e.sum FROM record r
		JOIN entry e ON e.n = CASE r.eff WHEN 0 THEN r.own ELSE r.eff END WHERE r.pos = ?`)
	if err != nil {
		return nil, "", fmt.Errorf("receipts: %w", err)
	}
	defer read.Close()
	out := make([]Receipt, 0, len(rows))
	for _, row := range rows {
		r, err := f.receipt(ctx, read, row.pos)
		if err != nil {
			return nil, "", fmt.Errorf("receipt at position %d: %w", row.pos, err)
		}
		out = append(out, r)
	}
	return out, next, nil
}

// listed returns the first rows after a cursor: of each party the first ones,
// merged.
func (s *snapshot) listed(ctx context.Context, q ReceiptQuery, after listRow, limit int) ([]listRow, error) {
	list, err := s.tx.PrepareContext(ctx, "SELECT at, pos FROM listing WHERE party = ? AND (at, pos) > (?, ?) AND at < ? ORDER BY at, pos LIMIT ?")
	if err != nil {
		return nil, err
	}
	defer list.Close()
	var out []listRow
	until := q.To
	for id, p := range s.parties {
		if id == 0 || (q.Site != "" && p.Site != q.Site) || (q.Operator != "" && p.Operator != q.Operator) {
			continue
		}
		if out, err = appendListed(ctx, list, out, int32(id), after, until, limit); err != nil {
			return nil, err
		}
		if len(out) >= 4*limit { // keep what can still be on the page
			out = firstRows(out, limit)
			until = min(until, out[limit-1].at+1)
		}
	}
	return firstRows(out, limit), nil
}

func firstRows(rows []listRow, limit int) []listRow {
	slices.SortFunc(rows, func(a, b listRow) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.pos, b.pos)) })
	return rows[:min(limit, len(rows))]
}

func appendListed(ctx context.Context, list *sql.Stmt, out []listRow, party int32, after listRow, until int64, limit int) ([]listRow, error) {
	rows, err := list.QueryContext(ctx, party, after.at, int64(after.pos), until, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		r := listRow{party: party}
		if err := rows.Scan(&r.at, &r.pos); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

func (f *Follower) receipt(ctx context.Context, read *sql.Stmt, pos uint64) (Receipt, error) {
	record := recordRow{pos: pos}
	var entry, hash []byte
	var n, sum int64
	err := record.scan(read.QueryRowContext(ctx, int64(pos)), &n, &entry, &hash, &sum)
	if err == nil {
		err = sqlite.CheckSum(sum, "entry", n, entry, hash)
	}
	if err != nil {
		return Receipt{}, err
	}
	r, err := journal.DecodeReading(record.data)
	if err != nil {
		return Receipt{}, err
	}
	e, err := DecodeEntry(entry)
	if err != nil {
		return Receipt{}, err
	}
	p := r.Receipt
	return Receipt{
		ID: ReceiptID(r), Pos: pos, Entry: e.N, Device: r.Device, Site: e.Site, Kecamatan: e.Kecamatan, Operator: e.Operator, Account: e.Account,
		Tariff: e.Tariff, Number: p.Number, Amount: p.Amount, Method: p.Method, Class: p.Class, At: r.At, Recv: record.recv,
		EnteredAt: p.EnteredAt, LeftAt: p.LeftAt, Void: p.Void, Counted: record.eff != 0, Flags: record.flags.Names(),
	}, nil
}

// ReceiptID is how the API names a reading: device:boot:seq, device::seq where
// the device counts no boots.
func ReceiptID(r *city.Reading) string {
	boot := ""
	if r.HasBoot {
		boot = strconv.FormatUint(r.Boot, 10)
	}
	return r.Device + ":" + boot + ":" + strconv.FormatUint(r.Seq, 10)
}

func (r listRow) cursor() string {
	return strconv.FormatInt(r.at, 36) + "." + strconv.FormatUint(r.pos, 36)
}

func parseCursor(text string) (listRow, error) {
	if text == "" {
		return listRow{at: -1 << 63}, nil
	}
	first, second, found := strings.Cut(text, ".")
	at, err := strconv.ParseInt(first, 36, 64)
	pos, err2 := strconv.ParseUint(second, 36, 63)
	if !found || err != nil || err2 != nil {
		return listRow{}, unknownCursor()
	}
	return listRow{at: at, pos: pos}, nil
}
