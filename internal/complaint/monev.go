package complaint

import (
	"context"
	"slices"
	"strings"

	"github.com/simpang-id/simpang/internal/city"
)

// Monev is what an agency did of the complaints that it received in a span of
// time. Hours are by the clock, not of work.
type Monev struct {
	Agency   string // "" where none has them
	Received int
	Anomaly  int // of them found by the gateway

	VerifyAuto   int // verified by themselves, and in none of the next three
	VerifyDone   int // verified by a person
	VerifyInTime int
	VerifyLate   int // verified too late, or not yet and too late
	AnswerDone   int
	AnswerInTime int
	AnswerLate   int
	Closed       int
	Rejected     int // and duplicates
	Reopened     int // complaints that were
	Escalated    int // complaints that were told up the line

	VerifyHours Spread
	AnswerHours Spread // from the verification to the first answer
	CloseHours  Spread // from the receipt to the end

	Open Ages // all that were open at the end of the span, or are now
}

// Spread is the median and the 90th percentile (nearest rank), in hours; not
// known where nothing was measured.
type Spread struct {
	N        int
	Median   float64
	NinetyPc float64
}

// Ages counts open complaints by working days since their receipt.
type Ages struct{ To3, To5, To10, Older int }

// Of counts them all.
func (a *Ages) Of() int { return a.To3 + a.To5 + a.To10 + a.Older }

// MonevQuery is of complaints received in a span (Unix ms, to exclusive), as
// known now.
type MonevQuery struct {
	From, To, Now int64
	Agencies      []string // nil: all
	NoMoney       bool
}

// Monev returns one row an agency, sorted by its id.
func (r *Register) Monev(ctx context.Context, q MonevQuery) ([]Monev, error) {
	if q.To <= q.From {
		return nil, &city.Error{Kind: city.KindInvalid, Message: "to must lie after from"}
	}
	m := monev{v: r.o.Inventory(), q: q, end: min(q.To, max(q.Now+1, q.From)), rows: map[string]*monevRow{}}
	for _, part := range []Query{
		{From: q.From, To: q.To},
		{To: q.From, open: true},
		{To: q.From, endedAt: m.end},
	} {
		part.Agencies, part.NoMoney = q.Agencies, q.NoMoney
		c, err := part.conditions()
		if err == nil {
			err = r.scan(ctx, c, "", func(rec *record) bool {
				m.count(&rec.Complaint)
				return ctx.Err() == nil
			})
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
	}
	out := make([]Monev, 0, len(m.rows))
	for _, row := range m.rows {
		row.VerifyHours, row.AnswerHours, row.CloseHours = spread(row.verify), spread(row.answer), spread(row.end)
		out = append(out, row.Monev)
	}
	slices.SortFunc(out, func(a, b Monev) int { return strings.Compare(a.Agency, b.Agency) })
	return out, nil
}

type monev struct {
	v interface {
		WorkingDays(from, to int64) int
	}
	q    MonevQuery
	end  int64
	rows map[string]*monevRow
}

type monevRow struct {
	Monev

	verify, answer, end []int64 // ms
}

func (m *monev) count(c *Complaint) {
	row := m.rows[c.Agency]
	if row == nil {
		row = &monevRow{Monev: Monev{Agency: c.Agency}}
		m.rows[c.Agency] = row
	}
	if c.Received < m.end && (c.Closed == 0 || c.Closed >= m.end) {
		switch days := m.v.WorkingDays(c.Received, m.end-1); {
		case days <= 3:
			row.Open.To3++
		case days <= 5:
			row.Open.To5++
		case days <= 10:
			row.Open.To10++
		default:
			row.Open.Older++
		}
	}
	if c.Received < m.q.From {
		return
	}
	row.Received++
	if c.Source == SourceAnomaly {
		row.Anomaly++
	}
	ended := c.State == StateRejected || c.State == StateDuplicate
	switch {
	case c.Source == SourceAnomaly && c.Verified == c.Received:
		row.VerifyAuto++
	case c.Verified > 0:
		row.VerifyDone++
		row.verify = append(row.verify, c.Verified-c.Received)
		tally(c.Verified < c.VerifyDue, &row.VerifyInTime, &row.VerifyLate)
	case c.Closed > 0: // an officer looked at it: it was told apart
		tally(c.Closed < c.VerifyDue, &row.VerifyInTime, &row.VerifyLate)
	case m.q.Now >= c.VerifyDue:
		row.VerifyLate++
	}
	switch {
	case c.FirstAnswered > 0:
		row.AnswerDone++
		if c.Verified > 0 { // books of before have answers without one
			row.answer = append(row.answer, c.FirstAnswered-c.Verified)
			tally(c.FirstAnswered < c.FirstDue, &row.AnswerInTime, &row.AnswerLate)
		}
	case !ended && c.FirstDue > 0 && c.Closed == 0 && m.q.Now >= c.FirstDue:
		row.AnswerLate++
	}
	switch {
	case ended:
		row.Rejected++
	case c.State == StateClosed:
		row.Closed++
	}
	if c.Closed > 0 {
		row.end = append(row.end, c.Closed-c.Received)
	}
	if c.Reopened > 0 {
		row.Reopened++
	}
	if c.Escalates > 0 {
		row.Escalated++
	}
}

func tally(inTime bool, in, late *int) {
	if inTime {
		*in++
	} else {
		*late++
	}
}

// spread is of times in ms.
func spread(times []int64) Spread {
	if len(times) == 0 {
		return Spread{}
	}
	slices.Sort(times)
	const hour = 3_600_000
	at := func(part, of int) float64 { return float64(times[(len(times)*part+of-1)/of-1]) / hour }
	return Spread{N: len(times), Median: at(1, 2), NinetyPc: at(9, 10)}
}
