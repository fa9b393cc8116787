package main

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/simpang-id/simpang/firmware-sim/scenario"
	"github.com/simpang-id/simpang/internal/watch"
)

// incident is one anomaly as the gateway tells it.
type incident struct {
	ID       string
	Rule     watch.Rule
	Subject  string
	Site     string
	Severity string
	OpenedAt time.Time `json:"opened_at"`
	LastAt   time.Time `json:"last_at"`
	Evidence struct {
		Sums   map[string]int64
		Unseen bool
	}
	Changes []struct {
		At   time.Time
		What string
	}
}

// judged are the rules of which the simulated year has the truth: those of
// money. What is told of its blind sensors as devices is not judged here.
var judged = slices.DeleteFunc(slices.Clone(watch.MoneyRules), func(r watch.Rule) bool { return r == watch.RuleParkingLimit })

// after is how long after its end a fault may still be told: a site's day is
// looked at when it is over.
const after = 36 * time.Hour

// tells whether an anomaly is of a fault.
func (f *fault) tells(a *incident) bool {
	return (a.Subject == f.site || a.Subject == f.meter) && slices.Contains(f.rules, a.Rule) &&
		a.OpenedAt.Before(f.until.Add(after)) && !a.LastAt.Before(f.from)
}

// score is how well one rule did.
type score struct {
	planted, found, right, wrong int
	delays                       []float64 // days, from a fault's begin to when it was told
}

// incidents compares what the watch raised with what was planted: of each rule,
// how many of the faults that it is for it found, how soon, and how often it
// was wrong.
func (y *year) incidents(ctx context.Context, g *gateway) error {
	found, err := list[incident](ctx, g, "/v1/anomalies", url.Values{})
	if err != nil {
		return err
	}
	found = slices.DeleteFunc(found, func(a incident) bool { return !slices.Contains(judged, a.Rule) })
	scores := map[watch.Rule]*score{}
	of := func(rule watch.Rule) *score {
		if scores[rule] == nil {
			scores[rule] = new(score)
		}
		return scores[rule]
	}
	wrong := 0
	for i := range found {
		a := &found[i]
		if err := g.get(ctx, "/v1/anomalies/"+a.ID, url.Values{}, a); err != nil {
			return err
		}
		if slices.ContainsFunc(y.faults, func(f fault) bool { return f.tells(a) }) {
			of(a.Rule).right++
		} else {
			of(a.Rule).wrong++
			wrong++
		}
	}
	any, all := 0, 0
	for i := range y.faults {
		f := &y.faults[i]
		if len(f.rules) == 0 {
			continue
		}
		all++
		told := false
		for _, rule := range f.rules {
			delay, ok := f.delay(rule, found)
			told = told || ok
			if rule != f.rules[0] {
				continue
			}
			of(rule).planted++
			if ok {
				of(rule).found++
				of(rule).delays = append(of(rule).delays, delay)
			}
		}
		if told {
			any++
		}
	}
	if text := wrongs(found, y.faults); text != "" {
		fmt.Fprintln(os.Stderr, text)
	}
	honest := y.honestDays()
	row("planted faults that the watch told of", fmt.Sprintf("%.3f (%d of %d)", part(any, all), any, all), ">= 1", any == all)
	row("anomalies of the watch with nothing behind them, a thousand honest site-days", fmt.Sprintf("%.2f (%d of %d)", 1000*part(wrong, honest), wrong, honest), "<= 1", 1000*part(wrong, honest) <= 1)
	for _, rule := range judged {
		s := of(rule)
		figure := fmt.Sprintf("right %.3f (%d of %d), %.2f wrong a thousand honest site-days", part(s.right, s.right+s.wrong), s.right, s.right+s.wrong, 1000*part(s.wrong, honest))
		if s.right+s.wrong == 0 {
			figure = "none raised"
			if s.planted == 0 {
				figure = "none planted, none raised"
			}
		}
		if s.planted > 0 {
			slices.Sort(s.delays)
			figure = fmt.Sprintf("found %.3f (%d of %d), median after %.1f days; %s", part(s.found, s.planted), s.found, s.planted, median(s.delays), figure)
		}
		row("rule "+string(rule), figure, "all found, <= 1 wrong", s.found == s.planted && 1000*part(s.wrong, honest) <= 1)
	}
	return nil
}

func median(sorted []float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[len(sorted)/2]
}

// delay is how many days after its begin a rule told of a fault.
func (f *fault) delay(rule watch.Rule, found []incident) (days float64, ok bool) {
	var first time.Time
	for i := range found {
		a := &found[i]
		if a.Rule != rule || !f.tells(a) {
			continue
		}
		at := a.OpenedAt
		for _, c := range a.Changes {
			if c.What == "opened" || c.What == "again" {
				at = c.At
				if !at.Before(f.from) {
					break
				}
			}
		}
		if !ok || at.Before(first) {
			first, ok = at, true
		}
	}
	return max(0, first.Sub(f.from).Hours()/24), ok
}

// honestDays are the site-days on which nothing that a rule is for was
// planted.
func (y *year) honestDays() int {
	type span struct{ from, until time.Time }
	by := map[string][]span{}
	for _, f := range y.faults {
		if f.kind != scenario.Blind {
			by[f.site] = append(by[f.site], span{f.from, f.until})
		}
	}
	n := 0
	for _, p := range y.places {
		for day := y.from; day.Before(y.until); day = day.AddDate(0, 0, 1) {
			next := day.AddDate(0, 0, 1)
			if !slices.ContainsFunc(by[p.id], func(s span) bool { return s.from.Before(next) && s.until.After(day) }) {
				n++
			}
		}
	}
	return n
}

// wrongs lists what has nothing behind it, for who looks into it.
func wrongs(found []incident, faults []fault) string {
	var lines []string
	for i := range found {
		a := &found[i]
		if !slices.ContainsFunc(faults, func(f fault) bool { return f.tells(a) }) {
			lines = append(lines, fmt.Sprintf("  wrong: %s %s %s to %s", a.Rule, a.Subject, a.OpenedAt.Format(time.RFC3339), a.LastAt.Format(time.RFC3339)))
		}
	}
	slices.SortFunc(lines, cmp.Compare[string])
	return strings.Join(lines[:min(len(lines), 40)], "\n")
}
