package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/app"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/wire/native"
)

// The year's first month is closed on the third of the next. Two days later
// receipts of its first day come, of an honest taxpayer, who pays their tax the day
// after with an SSPD for that month.
const (
	lateReceipts = 5
	latePrice    = 5000 // rupiah, a car
)

// closing is the month that is closed, and what came late for it.
type closing struct {
	month, with    string // YYYY-MM: closed, and with which the late is filed
	sold, came     dayOf  // of the late receipts
	operator       string
	closed, late   time.Time
	paid           city.Rupiah // for the late receipts
	device         string
	isClosed, sent bool
}

// planClosing chooses the month and the taxpayer.

func (y *year) planClosing() {
	c := &y.closing
	first := firstOf(y.from)
	c.closed = first.AddDate(0, 1, 2).Add(8 * time.Hour)
	c.late = c.closed.AddDate(0, 0, 2)
	i := slices.IndexFunc(y.places, func(p place) bool { return p.operator == "wp-3" })
	c.operator, c.device = y.places[i].operator, "meter-"+strings.ToLower(y.places[i].id)
	c.month, c.with = first.Format("2006-01"), c.late.Format("2006-01")
	c.sold, c.came = dayOf{y.places[i].id, y.from.Format(time.DateOnly)}, dayOf{y.places[i].id, c.late.Format(time.DateOnly)}
}

// step closes the month, and sends what is late for it, once it is time.
func (c *closing) step(ctx context.Context, r *app.Replay, from, now time.Time) error {
	if !c.isClosed && !now.Before(c.closed) {
		c.isClosed = true
		if err := r.Book(ctx, c.closed, &journal.Close{Period: c.month}); err != nil {
			return err
		}
	}
	if c.sent || now.Before(c.late) {
		return nil
	}
	c.sent = true
	for n := range lateReceipts { // of a boot before that of the year
		text := fmt.Appendf(nil, `{"kind":"receipt","boot":0,"seq":%d,"at":%q,"receipt":"SUSULAN-%d","amount":%d,"method":"cash","class":"car"}`,
			n+1, from.Add(12*time.Hour+time.Duration(n)*time.Minute).Format(time.RFC3339), n+1, latePrice)
		if err := r.Take(ctx, c.late, source.Message{Source: "devices", Device: c.device, Payload: text, Decoded: native.Decode(c.device, text)}); err != nil {
			return err
		}
	}
	return nil
}

// tell adds what came late to the truth, and the deposit that pays it.
func (y *year) tell() error {
	c := &y.closing
	y.printed[c.sold] += lateReceipts * latePrice
	c.paid = levyOf(lateReceipts * latePrice) // a whole tenth: no rounding of a day moves it
	body, err := json.Marshal(map[string]any{
		"reference": "SSPD-SUSULAN", "kind": "SSPD", "account": "4.1.01.19.04.0001", "operator": c.operator, "site": c.sold.site,
		"period_from": c.month + "-01", "period_to": firstOf(y.from).AddDate(0, 1, -1).Format(time.DateOnly),
		"credited_on": c.late.AddDate(0, 0, 1).Format(time.DateOnly), "gross": c.paid, "fee": 0, "net": c.paid, "channel": "va",
	})
	y.deposits = append(y.deposits, body)
	return err
}

// levyOf is a tenth of a site's day, rounded half up.
func levyOf(amount city.Rupiah) city.Rupiah { return (amount + 5) / 10 }

// filed is what was printed as it is filed: what came after the close on the day
// that it came.
func (y *year) filed() map[dayOf]city.Rupiah {
	filed := maps.Clone(y.printed)
	if c := &y.closing; c.isClosed {
		filed[c.sold] -= lateReceipts * latePrice
		filed[c.came] += lateReceipts * latePrice
	}
	return filed
}
