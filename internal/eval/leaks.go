package main

import (
	"context"
	"fmt"
	"net/url"
	"slices"
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

// held counts partly observed days whose truth the interval held.
type held struct {
	days, in, below, above int
	widths                 []float64 // relative to the truth
	off                    float64   // of the middle, relative
}

func (h *held) add(truth city.Rupiah, s *reconciled) {
	h.days++
	switch {
	case truth < s.Expected.Low:
		h.below++
	case truth > s.Expected.High:
		h.above++
	default:
		h.in++
	}
	whole := max(1, float64(truth))
	h.widths = append(h.widths, float64(s.Expected.High-s.Expected.Low)/whole)
	h.off += float64(s.Expected.Mid)/whole - 1
}

func (h *held) row(of string) {
	slices.Sort(h.widths)
	width := 0.
	if len(h.widths) > 0 {
		width = h.widths[len(h.widths)/2]
	}
	share := part(h.in, h.days)
	row("partly observed days whose truth the interval of nine in ten holds"+of, fmt.Sprintf("%.3f (%d of %d, %d below, %d above; median width %.2f of the truth, middle off by %+.3f)",
		share, h.in, h.days, h.below, h.above, width, h.off/float64(max(h.days, 1))), "0.85 to 0.95", share >= 0.85 && share <= 0.95)
}

func part(n, of int) float64 { return float64(n) / float64(max(of, 1)) }

// leaks looks at each site and day as the detector of leaks does, with its
// defaults, and compares with what was lost.
func (y *year) leaks(ctx context.Context, g *gateway) error {
	const large, observed = 0.1, 0.95 // of a site's day; of its sensors
	rule := inventory.DefaultRules().Leak
	var planted, found, honest, wrong, unknown int
	var all held
	by := map[string]*held{}
	for day := y.from; day.Before(y.until); day = day.AddDate(0, 0, 1) {
		date := day.Format(time.DateOnly)
		items, err := list[reconciled](ctx, g, "/v1/revenue/reconciliation", url.Values{"date": {date}})
		if err != nil {
			return err
		}
		for i := range items {
			s := &items[i]
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
				kind := y.sensors(s.Site)
				if by[kind] == nil {
					by[kind] = new(held)
				}
				by[kind].add(truth, s)
				all.add(truth, s)
			}
		}
	}
	if !y.blind {
		row("planted leaks of 10 % or more of a site's day, 95 % observed: found", fmt.Sprintf("%.3f (%d of %d)", part(found, planted), found, planted), ">= 1", found == planted && planted > 0)
	}
	row("false alarms a thousand honest site-days", fmt.Sprintf("%.2f (%d of %d; %d days unknown)", 1000*part(wrong, honest), wrong, honest, unknown), "<= 1", 1000*part(wrong, honest) <= 1)
	all.row("")
	for _, kind := range []string{"ten minutes", "an hour", "gates"} {
		if by[kind] != nil {
			by[kind].row(", sensors: " + kind)
		}
	}
	return nil
}

// sensors says how a site is observed.
func (y *year) sensors(site string) string {
	i := slices.IndexFunc(y.places, func(p place) bool { return p.id == site })
	switch {
	case i < 0 || !y.places[i].spots:
		return "gates"
	case y.places[i].interval == often:
		return "ten minutes"
	default:
		return "an hour"
	}
}
