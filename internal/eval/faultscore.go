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

	"github.com/simpang-id/simpang/internal/watch"
)

// filed is a complaint as the gateway tells it.
type filed struct {
	ID, Source, Agency, Rule, Anomaly string
	ReceivedAt                        time.Time `json:"received_at"`
}

// verdicts are what was told of a town, judged.
type verdicts struct {
	r         *faultRun
	anomalies []incident
	right     []bool
	filed     []filed
	rules     map[watch.Rule]*faultScore
	kinds     map[string]*faultScore
	all       faultScore
}

// faultScore is how well a rule did.
type faultScore struct {
	planted, found, right, wrong int
	delays, windows              []float64 // hours, and of the rule's own window
	texts                        []string
}

// told asks the gateway what it has told, and judges it.
func (r *faultRun) told(ctx context.Context, g *gateway) (*verdicts, error) {
	v := &verdicts{r: r, rules: map[watch.Rule]*faultScore{}, kinds: map[string]*faultScore{}}
	var err error
	if v.anomalies, err = anomaliesOf(ctx, g, r.played); err != nil {
		return nil, err
	}
	if v.filed, err = filedOf(ctx, g, r.played); err != nil {
		return nil, err
	}
	for i := range v.anomalies {
		a := &v.anomalies[i]
		right := r.behind(a)
		v.right = append(v.right, right)
		for _, s := range []*faultScore{v.rule(a.Rule), &v.all} {
			if right {
				s.right++
			} else {
				s.wrong++
			}
		}
		if !right {
			fmt.Fprintf(os.Stderr, "wrong: %s of %s at %s %v unseen=%v %s\n", a.Rule, a.Subject, a.OpenedAt.Format(time.RFC3339), a.Evidence.Sums, a.Evidence.Unseen, r.near(a))
		}
	}
	for i := range r.plan.faults {
		v.look(&r.plan.faults[i])
	}
	return v, nil
}

// anomaliesOf are those that opened while it was played, with their changes.
func anomaliesOf(ctx context.Context, g *gateway, p *played) ([]incident, error) {
	list, err := list[incident](ctx, g, "/v1/anomalies", url.Values{"from": {p.from.Format(time.RFC3339)}, "to": {p.until.Format(time.RFC3339)}})
	if err != nil {
		return nil, err
	}
	for i := range list {
		if err := g.get(ctx, "/v1/anomalies/"+list[i].ID, url.Values{}, &list[i]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// filedOf are the complaints of anomalies that were filed while it was played.
func filedOf(ctx context.Context, g *gateway, p *played) ([]filed, error) {
	return list[filed](ctx, g, "/v1/complaints", url.Values{"source": {"anomaly"}, "from": {p.from.Format(time.RFC3339)}, "to": {p.until.Format(time.RFC3339)}})
}

func (v *verdicts) rule(rule watch.Rule) *faultScore {
	if v.rules[rule] == nil {
		v.rules[rule] = new(faultScore)
	}
	return v.rules[rule]
}

// slow are the rules that look at whole days: they tell long after.
var slow = append(slices.Clone(watch.MoneyRules), watch.RuleGateDrift)

// mayTell tells whether an anomaly is of a fault.
func (f *planted) mayTell(a *incident) bool {
	late := 4 * hour
	if slices.Contains(slow, a.Rule) {
		late = after
	}
	return slices.Contains(f.subjects, a.Subject) && (slices.Contains(f.rules, a.Rule) || slices.Contains(f.also, a.Rule)) &&
		!a.OpenedAt.Before(f.from.Add(-hour)) && a.OpenedAt.Before(f.until.Add(late))
}

// behind tells whether something is behind an anomaly.
func (r *faultRun) behind(a *incident) bool {
	for i := range r.plan.faults {
		if r.plan.faults[i].mayTell(a) {
			return true
		}
	}
	at := a.OpenedAt.UnixMilli()
	for _, l := range r.natural {
		if a.Rule == watch.RuleOverstay && a.Site == l.Site && at > l.Entered && at < l.Left+hour.Milliseconds() {
			return true
		}
	}
	return false
}

// near says what else was planted on an anomaly's place.
func (r *faultRun) near(a *incident) string {
	var list []string
	for i := range r.plan.faults {
		if f := &r.plan.faults[i]; slices.Contains(f.subjects, a.Subject) || a.Site != "" && slices.Contains(f.subjects, a.Site) {
			list = append(list, fmt.Sprintf("%s (%s to %s)", f.name, f.from.Format("02T15:04"), f.until.Format("02T15:04")))
		}
	}
	return strings.Join(list, ", ")
}

// began is when a fault was one; ok is false where it never was.
func (f *planted) began() (at time.Time, ok bool) {
	at = f.effect
	if f.name == "battery sinks" {
		at = f.tells[sunk]
	}
	return at, !at.IsZero()
}

// look finds who told of a fault, and when.
func (v *verdicts) look(f *planted) {
	began, ok := f.began()
	if !ok {
		fmt.Fprintf(os.Stderr, "%s of %s made no difference\n", f.name, f.subject)
		return
	}
	window := f.window(&f.looked)
	for _, rule := range f.rules {
		at, found := v.first(f, rule, began)
		if v.kinds[f.name] == nil {
			v.kinds[f.name] = new(faultScore)
		}
		for _, s := range []*faultScore{v.rule(rule), v.kinds[f.name], &v.all} {
			s.planted++
			if text := f.text; !slices.Contains(s.texts, text) {
				s.texts = append(s.texts, text)
			}
			if found {
				delay := max(0, at.Sub(began).Hours())
				s.found++
				s.delays = append(s.delays, delay)
				s.windows = append(s.windows, delay/window.Hours())
			}
		}
		if !found {
			fmt.Fprintf(os.Stderr, "not told: %s of %s, %s to %s, by %s\n", f.name, f.subject, began.Format(time.RFC3339), f.until.Format(time.RFC3339), rule)
		}
	}
}

// first is when a rule told of a fault first, or a cause that hides it.
func (v *verdicts) first(f *planted, rule watch.Rule, began time.Time) (first time.Time, found bool) {
	for i := range v.anomalies {
		a := &v.anomalies[i]
		told := a.Rule == rule && f.mayTell(a)
		if rule == watch.RuleDeviceSilent && (a.Rule == watch.RuleSiteSilent || a.Rule == watch.RuleSourceSilent) {
			told = v.right[i] && slices.Contains(v.causes(f), a.Subject) && a.OpenedAt.After(began) && a.OpenedAt.Before(f.until)
		}
		if !told {
			continue
		}
		for _, c := range a.Changes {
			if (c.What == "opened" || c.What == "again") && !c.At.Before(began.Add(-minutes(5))) && (!found || c.At.Before(first)) {
				first, found = c.At, true
			}
		}
	}
	return first, found
}

// causes are the site and source that a fault's device hangs on.
func (v *verdicts) causes(f *planted) []string {
	for i := range v.r.plan.t.sites {
		if s := &v.r.plan.t.sites[i]; slices.Contains(f.subjects, s.id) {
			return []string{s.id, s.source()}
		}
	}
	return nil
}

// The bars of issue 5.
const (
	leastRecall    = 0.95
	leastPrecision = 0.9
	mostWindows    = 2
	mostAday       = 10
)

func (s *faultScore) figure() (text string, ok bool) {
	recall, precision := part(s.found, s.planted), part(s.right, s.right+s.wrong)
	ok = (s.planted == 0 || recall >= leastRecall) && (s.right+s.wrong == 0 || precision >= leastPrecision)
	slices.Sort(s.delays)
	slices.Sort(s.windows)
	text = fmt.Sprintf("recall %.3f (%d of %d), precision %.3f (%d of %d)", recall, s.found, s.planted, precision, s.right, s.right+s.wrong)
	if s.planted == 0 {
		text = fmt.Sprintf("none planted for it alone, precision %.3f (%d of %d)", precision, s.right, s.right+s.wrong)
	}
	if s.right+s.wrong == 0 {
		text = strings.Replace(text, "precision 0.000 (0 of 0)", "none raised", 1)
	}
	if len(s.windows) > 0 {
		w := median(s.windows)
		ok = ok && w <= mostWindows
		text += fmt.Sprintf(", median after %s, %.2f of its window", span(median(s.delays)), w)
	}
	return text, ok
}

// span is a time as people read it.
func span(hours float64) string {
	switch {
	case hours < 3:
		return fmt.Sprintf("%.0f min", hours*60)
	case hours < 72:
		return fmt.Sprintf("%.1f h", hours)
	}
	return fmt.Sprintf("%.1f days", hours/24)
}

// rows prints the table.
func (v *verdicts) rows() {
	for _, k := range faultKinds {
		if s := v.kinds[k.name]; s != nil {
			slices.Sort(s.delays)
			slices.Sort(s.windows)
			fmt.Fprintf(os.Stderr, "%-32s found %d of %d, median after %s, %.2f windows\n", k.name, s.found, s.planted, span(median(s.delays)), median(s.windows))
		}
	}
	recall, precision := part(v.all.found, v.all.planted), part(v.all.right, v.all.right+v.all.wrong)
	slices.Sort(v.all.windows)
	row("faults of all kinds: recall", fmt.Sprintf("%.3f (%d of %d, %d kinds)", recall, v.all.found, v.all.planted, len(v.kinds)), ">= 0.95", recall >= leastRecall)
	row("faults of all kinds: precision", fmt.Sprintf("%.3f (%d of %d anomalies)", precision, v.all.right, v.all.right+v.all.wrong), ">= 0.9", precision >= leastPrecision)
	row("faults of all kinds: delay", fmt.Sprintf("median %.2f of the rule's own window", median(v.all.windows)), "<= 2", median(v.all.windows) <= mostWindows)
	for _, rule := range watch.Rules {
		s := v.rule(rule)
		if s.planted+s.right+s.wrong == 0 {
			row("rule "+string(rule), "none planted, none raised", "0.95, 0.9, 2", true)
			continue
		}
		text, ok := s.figure()
		if len(s.texts) > 0 {
			text += ": " + strings.Join(s.texts, "; ")
		}
		row("rule "+string(rule), text, "0.95, 0.9, 2", ok)
	}
	most, agency, date := v.r.busiest(v.filed)
	row("faults: new complaints an agency and working day", fmt.Sprintf("%d at most (%s, %s; %d in all)", most, agency, date, len(v.filed)), "<= 10", most <= mostAday)
}

// busiest is the agency and working day with the most new complaints.
func (p *played) busiest(list []filed) (most int, agency, date string) {
	type key struct{ agency, date string }
	n := map[key]int{}
	for _, c := range list {
		n[key{c.Agency, p.version.WorkingDay(c.ReceivedAt.UnixMilli())}]++
	}
	for k, count := range n {
		if count > most || count == most && cmp.Compare(k.date+k.agency, date+agency) < 0 {
			most, agency, date = count, k.agency, k.date
		}
	}
	return most, agency, date
}
