package main

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
)

// reconciled is what the gateway says of a site's day.
type reconciled struct {
	Site     string
	Expected *struct{ Low, Mid, High city.Rupiah }
	Compared city.Rupiah `json:"recorded_compared"`
	Evidence struct{ Coverage float64 }
}

// leaks looks at each site and day as the detector of leaks does, with its
// defaults, and compares with what was skimmed.
func (y *year) leaks(ctx context.Context, g *gateway) error {
	const large, observed = 0.1, 0.95 // of a site's day; of its sensors
	rule := inventory.DefaultRules().Leak
	var planted, found, honest, wrong, partly, held, unknown int
	for day := y.from; day.Before(y.until); day = day.AddDate(0, 0, 1) {
		date := day.Format(time.DateOnly)
		items, err := list[reconciled](ctx, g, "/v1/revenue/reconciliation", url.Values{"date": {date}})
		if err != nil {
			return err
		}
		for _, s := range items {
			k := dayOf{s.Site, date}
			lost, truth := y.lost[k], y.printed[k]+y.lost[k]
			if s.Expected == nil {
				unknown++
				continue
			}
			lacks := s.Expected.Low - s.Compared
			alarm := s.Evidence.Coverage >= rule.Coverage && int64(lacks) >= int64(rule.Least) && float64(lacks) > rule.Share*float64(s.Compared)
			switch {
			case lost > 0 && float64(lost) >= large*float64(truth) && s.Evidence.Coverage >= observed:
				planted++
				if alarm {
					found++
				}
			case lost == 0:
				honest++
				if alarm {
					wrong++
				}
			}
			if s.Evidence.Coverage < observed {
				partly++
				if truth >= s.Expected.Low && truth <= s.Expected.High {
					held++
				}
			}
		}
	}
	share := func(n, of int) float64 { return float64(n) / float64(max(of, 1)) }
	row("planted leaks of 10 % or more of a site's day, 95 % observed: found", fmt.Sprintf("%.3f (%d of %d)", share(found, planted), found, planted), ">= 1", found == planted && planted > 0)
	row("false alarms a thousand honest site-days", fmt.Sprintf("%.2f (%d of %d; %d days unknown)", 1000*share(wrong, honest), wrong, honest, unknown), "<= 1", 1000*share(wrong, honest) <= 1)
	row("partly observed days whose truth the interval of nine in ten holds", fmt.Sprintf("%.3f (%d of %d)", share(held, partly), held, partly),
		"0.85 to 0.95", share(held, partly) >= 0.85 && share(held, partly) <= 0.95)
	return nil
}
