package main

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/simpang-id/simpang/internal/city"
)

// owed looks at what each operator is told to owe, month by month: those who
// kept a part back lack just that, and nobody else lacks anything.
func (y *year) owed(ctx context.Context, g *gateway) error {
	var off, sum city.Rupiah
	accused := 0
	for month := firstOf(y.from); month.Before(y.until); month = month.AddDate(0, 1, 0) {
		var told struct {
			Periods []struct {
				Operator string
				Account  string
				Sites    []string
				Fee      city.Rupiah
				Leak2    *city.Rupiah `json:"leak_2"`
				State    string       `json:"leak_2_state"`
			}
		}
		if err := g.get(ctx, "/v1/revenue/reconciliation", url.Values{"date": {month.Format(time.DateOnly)}, "limit": {"1"}}, &told); err != nil {
			return err
		}
		for _, p := range told.Periods {
			want := y.keptBack(p.Sites, month)
			sum += want
			if p.Leak2 == nil {
				if p.State != "not_yet_due" {
					off += want
				}
				continue
			}
			lacks := *p.Leak2 - p.Fee // a settlement's fee is told beside
			off += max(lacks-want, want-lacks)
			if want == 0 && lacks > 0 {
				accused++
			}
		}
	}
	row("kept back of deposits, and nothing else, is told: rupiah off", fmt.Sprintf("%d (Rp%d kept back; %d honest months accused)", off, sum, accused), "0", off == 0 && accused == 0)
	return nil
}

func firstOf(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, t.Location())
}

// keptBack is what was kept back of a month's deposits of some sites.
func (y *year) keptBack(sites []string, month time.Time) city.Rupiah {
	var sum city.Rupiah
	for _, id := range sites {
		sum += y.short[dayOf{id, month.Format("2006-01")}]
	}
	return sum
}
