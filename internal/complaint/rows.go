package complaint

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/sqlite"
)

const (
	perYear = 1_000_000
	idHead  = "SPG-"
)

// idOf returns the id of a number.
func idOf(num int64) string { return fmt.Sprintf("%s%d-%06d", idHead, num/perYear, num%perYear) }

// numOf returns the number of an id, false where it is none of ours.
func numOf(id string) (int64, bool) {
	year, n, ok := strings.Cut(strings.TrimPrefix(id, idHead), "-")
	y, err := strconv.ParseInt(year, 10, 32)
	k, err2 := strconv.ParseInt(n, 10, 32)
	num := y*perYear + k
	return num, ok && err == nil && err2 == nil && idOf(num) == id
}

// record is a complaint and what else its row has.
type record struct {
	Complaint

	num    int64
	alarm  int64
	erase  int64
	day    string
	digest string
}

const columns = "num, updated, received, source, service, agency, state, money, public, deadline, alarm, erase, day, digest, theirs, data, sum"

// row is a row of the table without its checksum.
func (r *record) row(data []byte) []any {
	return []any{
		r.num, r.Updated, r.Received, string(r.Source), r.Service, r.Agency, string(r.State), flag(r.Money), flag(r.Public && !r.Money),
		r.Deadline(), r.alarm, r.erase, r.day, r.digest, r.Theirs, data,
	}
}

// scanner is a row.
type scanner interface{ Scan(dest ...any) error }

// rower is a pool or a transaction.
type rower interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func scanRecord(s scanner) (*record, error) {
	r := new(record)
	var updated, received, money, public, deadline, sum int64
	var source, service, agency, state, theirs string
	var data []byte
	if err := s.Scan(&r.num, &updated, &received, &source, &service, &agency, &state, &money, &public, &deadline, &r.alarm, &r.erase,
		&r.day, &r.digest, &theirs, &data, &sum); err != nil {
		return nil, err
	}
	if err := sqlite.CheckSum(sum, "complaint", r.num, updated, received, source, service, agency, state, money, public, deadline, r.alarm, r.erase,
		r.day, r.digest, theirs, data); err != nil {
		return nil, fmt.Errorf("%s: %w", idOf(r.num), err)
	}
	if err := json.Unmarshal(data, &r.Complaint); err != nil {
		return nil, fmt.Errorf("%s: %w", idOf(r.num), err)
	}
	return r, nil
}

func notThere(id string) error {
	return &city.Error{Kind: city.KindNotFound, Message: fmt.Sprintf("there is no complaint %q", id)}
}

// get returns a complaint. An error of KindNotFound: there is none.
func get(ctx context.Context, q rower, id string) (*record, error) {
	num, ok := numOf(id)
	if !ok {
		return nil, notThere(id)
	}
	return getNum(ctx, q, num)
}

func getNum(ctx context.Context, q rower, num int64) (*record, error) {
	r, err := scanRecord(q.QueryRowContext(ctx, "SELECT "+columns+" FROM complaint WHERE num = ?", num))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, notThere(idOf(num))
	}
	return r, err
}

// number gives the next id of the year.
func (x *change) number(r *record) error {
	year := int64(time.UnixMilli(x.now).In(x.o.Zone).Year())
	last, err := x.lastNumber(year)
	if err != nil {
		return err
	}
	if last++; last >= perYear {
		return &city.Error{Kind: city.KindUnavailable, Message: "the register has no number left for this year"}
	}
	r.num = year*perYear + last
	r.ID = idOf(r.num)
	return x.putNumber(year, last)
}

// put writes a complaint.
func (x *change) put(r *record) error {
	r.Updated = max(r.Updated, x.now)
	r.alarm = r.Complaint.alarm(rulesOf(x.v, r.Service))
	r.erase = 0
	if r.Private.personal() && r.Closed > 0 {
		const day = 24 * 3600 * 1000
		r.erase = r.Closed + int64(x.o.PersonalDays)*day
	}
	data, err := json.Marshal(&r.Complaint)
	if err != nil {
		return err
	}
	row := r.row(data)
	_, err = x.tx.ExecContext(x.ctx, "INSERT INTO complaint ("+columns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (num) DO UPDATE SET updated = excluded.updated, received = excluded.received, source = excluded.source, service = excluded.service,
		agency = excluded.agency, state = excluded.state, money = excluded.money, public = excluded.public, deadline = excluded.deadline,
		alarm = excluded.alarm, erase = excluded.erase, day = excluded.day, digest = excluded.digest, theirs = excluded.theirs, data = excluded.data,
		sum = excluded.sum`, append(row, sqlite.Sum("complaint", row...))...)
	return err
}

// personal tells whether it tells of a person.
func (p *Private) personal() bool {
	return p.FirstName+p.LastName+p.Phone+p.Email+p.Device+p.Account != ""
}

// tell appends to a complaint's history. The complaint is to be put after it.
func (x *change) tell(r *record, u Update) (Update, error) {
	if err := x.tx.QueryRowContext(x.ctx, "SELECT coalesce(max(id), 0) + 1 FROM history").Scan(&u.ID); err != nil {
		return u, err
	}
	u.Complaint, u.State = r.ID, r.State
	if u.At == 0 {
		u.At = x.now
	}
	if u.Status == "" {
		u.Status = r.State.Status()
	}
	data, err := json.Marshal(&u)
	if err != nil {
		return u, err
	}
	r.Updates++
	row := []any{u.ID, r.num, u.At, u.Theirs, data}
	_, err = x.tx.ExecContext(x.ctx, "INSERT INTO history (id, complaint, at, theirs, data, sum) VALUES (?, ?, ?, ?, ?, ?)",
		append(row, sqlite.Sum("history", row...))...)
	if err != nil {
		return u, err
	}
	return u, x.pass(r, &u)
}

const historyColumns = "id, complaint, at, theirs, data, sum"

func scanUpdate(s scanner) (Update, error) {
	var id, num, at, sum int64
	var theirs string
	var data []byte
	var u Update
	if err := s.Scan(&id, &num, &at, &theirs, &data, &sum); err != nil {
		return u, err
	}
	if err := sqlite.CheckSum(sum, "history", id, num, at, theirs, data); err != nil {
		return u, fmt.Errorf("update %d: %w", id, err)
	}
	if err := json.Unmarshal(data, &u); err != nil {
		return u, fmt.Errorf("update %d: %w", id, err)
	}
	return u, nil
}
