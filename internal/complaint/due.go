package complaint

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/simpang-id/simpang/internal/city"
)

// alarmsAtOnce is how many deadlines one transaction tells of.
const alarmsAtOnce = 100

// Work does all that time and incidents bring: what changed of incidents,
// complaints of those that waited, deadlines that passed, and what is to go. It
// is called every few seconds by one goroutine; each call ends what it can.
func (r *Register) Work(ctx context.Context, now int64) error {
	for more := true; more; {
		var err error
		if more, err = r.Follow(ctx, now); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	if err := r.fileWaiting(ctx, now); err != nil {
		return err
	}
	for more := true; more; {
		var err error
		if more, err = r.alarms(ctx, now); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return r.tidy(ctx, now)
}

// fileWaiting files ten times while incidents gather, and not at each call: they
// may wait for days.
func (r *Register) fileWaiting(ctx context.Context, now int64) error {
	if now >= r.tried && now-r.tried < r.o.Gather.Milliseconds()/10 {
		return nil
	}
	n, err := r.Waiting(ctx)
	if err == nil && n > 0 {
		_, err = r.File(ctx, now)
	}
	if err == nil {
		r.tried = now
	}
	return err
}

// alarms tells deadlines that passed up the line.
func (r *Register) alarms(ctx context.Context, now int64) (more bool, err error) {
	due, err := r.nums(ctx, "SELECT num FROM complaint WHERE alarm > 0 AND alarm <= ? ORDER BY alarm LIMIT ?", now, alarmsAtOnce)
	if err != nil || len(due) == 0 {
		return false, err
	}
	err = r.change(ctx, now, func(x *change) error {
		for _, num := range due {
			rec, err := getNum(x.ctx, x.tx, num)
			if err != nil {
				return err
			}
			if err := x.escalate(rec); err != nil {
				return err
			}
		}
		return nil
	})
	return err == nil && len(due) == alarmsAtOnce, err
}

func (x *change) escalate(rec *record) error {
	line := rulesOf(x.v, rec.Service).line
	if rec.alarm == 0 || rec.alarm > x.now || rec.Escalated >= len(line) {
		return x.put(rec) // the inventory or the state is another one by now: the alarm is worked out anew
	}
	to := line[rec.Escalated]
	rec.Escalated++
	rec.Escalates++
	what := map[State]string{StateReceived: "verifikasi", StateVerified: "tindak lanjut", StateInProgress: "tindak lanjut", StateAnswered: "penutupan"}[rec.State]
	last := time.UnixMilli(rec.Deadline() - 1).In(x.o.Zone).Format(time.DateOnly)
	_, err := x.tell(rec, Update{What: "escalated", Status: StatusUnchanged, Hidden: true, Text: fmt.Sprintf("Batas %s (%s) terlewati; diteruskan ke %s.", what, last, to)})
	if err != nil {
		return err
	}
	return x.put(rec)
}

// tidy lets go what is past its time: photos that no complaint took, and the
// names of who reported what is over.
func (r *Register) tidy(ctx context.Context, now int64) error {
	var photos int
	if err := r.db.R.QueryRowContext(ctx, "SELECT count(*) FROM photo WHERE complaint = 0 AND at < ?", now-photoWait).Scan(&photos); err != nil {
		return fmt.Errorf("complaints: photos: %w", err)
	}
	names, err := r.nums(ctx, "SELECT num FROM complaint WHERE erase > 0 AND erase <= ? LIMIT ?", now, alarmsAtOnce)
	if err != nil || photos == 0 && len(names) == 0 {
		return err
	}
	return r.change(ctx, now, func(x *change) error {
		if err := x.dropPhotos(); err != nil {
			return err
		}
		for _, num := range names {
			rec, err := getNum(x.ctx, x.tx, num)
			if err != nil {
				return err
			}
			rec.Private = Private{Text: rec.Private.Text}
			if err := x.put(rec); err != nil {
				return err
			}
		}
		return nil
	})
}

func (r *Register) nums(ctx context.Context, query string, args ...any) (list []int64, err error) {
	rows, err := r.db.R.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("complaints: %w", err)
	}
	defer closeRows(rows)
	for rows.Next() {
		var num int64
		if err := rows.Scan(&num); err != nil {
			return nil, fmt.Errorf("complaints: %w", err)
		}
		list = append(list, num)
	}
	return list, rows.Err()
}

// Counts are the register's numbers now.
type Counts struct {
	States  map[State]int // all of them
	Overdue int
	Waiting int   // incidents
	Oldest  int64 // when the oldest open complaint was received, Unix ms; 0: none is open
	Backlog Backlog
}

// Counts counts.
func (r *Register) Counts(ctx context.Context, now int64) (c Counts, err error) {
	c.States = map[State]int{}
	rows, err := r.db.R.QueryContext(ctx, "SELECT state, count(*), sum(deadline > 0 AND deadline <= ?), min(received) FROM complaint GROUP BY state", now)
	if err != nil {
		return c, fmt.Errorf("complaints: %w", err)
	}
	defer closeRows(rows)
	for rows.Next() {
		var state State
		var n, late int
		var first int64
		if err := rows.Scan(&state, &n, &late, &first); err != nil {
			return c, fmt.Errorf("complaints: %w", err)
		}
		c.States[state] = n
		c.Overdue += late
		if state.Open() && (c.Oldest == 0 || first < c.Oldest) {
			c.Oldest = first
		}
	}
	if err := rows.Err(); err != nil {
		return c, fmt.Errorf("complaints: %w", err)
	}
	if c.Waiting, err = r.Waiting(ctx); err != nil {
		return c, err
	}
	c.Backlog, err = r.Backlog(ctx)
	return c, err
}

// Near returns open complaints of the same kind and place as one: within 100 m,
// or of the same site, the newest first: it may be a duplicate of them.
func (r *Register) Near(ctx context.Context, c *Complaint) (list []Complaint, err error) {
	const (
		within = 100
		look   = 1000
		offer  = 10
	)
	open := []State{StateReceived, StateVerified, StateInProgress, StateAnswered}
	all, _, err := r.Complaints(ctx, Query{Services: []string{c.Service}, States: open, Limit: look})
	if err != nil {
		return nil, err
	}
	for i := range all {
		o := &all[i]
		same := slices.ContainsFunc(o.Subjects.Sites, func(id string) bool { return slices.Contains(c.Subjects.Sites, id) })
		near := c.Located && o.Located && metres(c.Lat, c.Long, o.Lat, o.Long) <= within
		if o.ID != c.ID && (same || near) && (!o.Money || c.Money) {
			list = append(list, *o)
		}
	}
	return list[:min(len(list), offer)], nil
}

// Complaint returns one complaint. An error of KindNotFound: there is none.
func (r *Register) Complaint(ctx context.Context, id string) (Complaint, error) {
	rec, err := get(ctx, r.db.R, id)
	if err != nil {
		if city.KindOf(err) == city.KindNotFound {
			return Complaint{}, err
		}
		return Complaint{}, fmt.Errorf("complaints: %w", err)
	}
	return rec.Complaint, nil
}
