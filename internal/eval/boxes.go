package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/simpang-id/simpang/firmware-sim/scenario"
	"github.com/simpang-id/simpang/firmware-sim/truth"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/watch"
)

// The reference city, half of whose tapping boxes are dead (facts/revenue.md
// 3.6: 24 of 50 worked). Assumed, for nobody has told: two of five have been dead
// before the gateway came, one of ten dies in the ten working days that count;
// one of a hundred other devices dies on the first day; a road has a jam each
// twenty days. So that it is some millions of readings, spots speak each hour.
const (
	boxesLearn  = 8  // days before those that count
	boxesDays   = 12 // from a Monday to the second Friday after it
	boxesBefore = 0.4
	boxesDying  = 0.1
)

// boxRun is the reference city with its dead boxes.
type boxRun struct {
	*played

	counts time.Time            // from then on
	dead   map[string]time.Time // devices, since when
	jams   map[string][]int64   // ends of periods with a jam, by segment, Unix ms
}

// boxes plays it and judges what the agencies got.
func boxes(ctx context.Context, dir string, seed uint64) error {
	r, err := newBoxRun(dir, seed)
	if err != nil {
		return err
	}
	began := time.Now()
	if err := r.play(ctx); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "boxes: %d readings, %d devices dead, played in %v\n", r.readings, len(r.dead), time.Since(began).Round(time.Second))
	g, err := serve(ctx, r.cfg)
	if err != nil {
		return err
	}
	return errors.Join(r.judge(ctx, g), g.stop())
}

func newBoxRun(dir string, seed uint64) (*boxRun, error) {
	folder := filepath.Join(dir, "inventory")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	if err := copyReference(folder, "accounts.csv", "tariffs.yaml", "agencies.yaml", "holidays.csv", "pkji2023.yaml", "sites.geojson", "segments.geojson",
		"operators.csv", "attendants.csv", "targets.csv", "closures.csv", "rules.yaml"); err != nil {
		return nil, err
	}
	meters, err := seldomDevices(folder)
	if err != nil {
		return nil, err
	}
	p, err := newPlayed(dir, []string{"devices"})
	if err != nil {
		return nil, err
	}
	r := &boxRun{played: p, dead: map[string]time.Time{}, jams: map[string][]int64{}}
	r.counts = time.Date(2026, 7, 6, 0, 0, 0, 0, p.cfg.City.Zone)
	p.from, p.until, p.each = r.counts.AddDate(0, 0, -boxesLearn), r.counts.AddDate(0, 0, boxesDays), time.Hour
	p.source = func(*inventory.Device) string { return "devices" }
	p.truth = r.happened
	if p.scenario, err = scenario.Parse([]byte(r.plan(meters, seed))); err != nil {
		return nil, err
	}
	return r, nil
}

// seldomDevices copies the devices, with spots that speak each hour, and returns
// the meters.
func seldomDevices(folder string) (meters []string, err error) {
	text, err := os.ReadFile(filepath.Join(root, reference, "devices.csv"))
	if err != nil {
		return nil, err
	}
	rows, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
	if err != nil {
		return nil, err
	}
	id, kind, interval := slices.Index(rows[0], "id"), slices.Index(rows[0], "kind"), slices.Index(rows[0], "interval_s")
	for _, row := range rows[1:] {
		switch row[kind] {
		case "spot":
			row[interval] = "3600"
		case "count":
			row[interval] = "600"
		case "meter":
			meters = append(meters, row[id])
		}
	}
	var to strings.Builder
	if err := csv.NewWriter(&to).WriteAll(rows); err != nil {
		return nil, err
	}
	return meters, os.WriteFile(filepath.Join(folder, "devices.csv"), []byte(to.String()), 0o600)
}

func (r *boxRun) plan(meters []string, seed uint64) string {
	var b strings.Builder
	fmt.Fprintf(&b, `timezone: Asia/Jakarta
seed: %d
parking: {mood: 0.1}
payments: {unpaid: 0}
traffic: {volume: 0.5, mood: 0.05}
faults: {doubled: 0.002, late: 0.004, late_by: 20m, clock_drift: 200ms, reboot: 0.01, dead: 0.01, jam: 0.05}
planted:
`, seed)
	dice := rand.New(rand.NewPCG(seed, 0xb0c5))
	dice.Shuffle(len(meters), func(a, b int) { meters[a], meters[b] = meters[b], meters[a] })
	before, dying := int(boxesBefore*float64(len(meters))), int(boxesDying*float64(len(meters)))
	for i, id := range meters[:before+dying] {
		from := r.from
		if i >= before {
			from = r.counts.AddDate(0, 0, dice.IntN(boxesDays-2)).Add(time.Duration(6+dice.IntN(12)) * hour)
		}
		r.dead[id] = from
		fmt.Fprintf(&b, "  - {kind: dead, device: %s, from: %s, until: %s}\n", id, from.Format(time.RFC3339), r.until.Format(time.RFC3339))
	}
	return b.String()
}

func (r *boxRun) happened(l truth.Line) {
	switch {
	case l.What == truth.Fault && l.Fault == "dead":
		if since, known := r.dead[l.Device]; !known || l.At < since.UnixMilli() {
			r.dead[l.Device] = time.UnixMilli(l.At)
		}
	case l.What == truth.Flow && l.Jam:
		r.jams[l.Segment] = append(r.jams[l.Segment], l.Until)
	}
}

// accuses are the rules that say of a site that money was kept back.
var accuses = []watch.Rule{watch.RuleLeak, watch.RuleStayNoPayment}

// behind tells whether something is behind an anomaly: a device that is dead, or a
// jam. Everybody pays here and nobody keeps anything back; what a dead box did not
// record was taken all the same, so that an accusation is wrong, at its site too.
func (r *boxRun) behind(a *incident) bool {
	sensorDeadAt := func(site string) bool {
		return slices.ContainsFunc(r.version.SiteDevices(site), func(d *inventory.Device) bool {
			since, ok := r.dead[d.ID]
			return ok && d.Kind != inventory.DeviceMeter && since.Before(a.OpenedAt)
		})
	}
	switch a.Rule {
	case watch.RuleDeviceSilent, watch.RuleMeterSilent:
		since, ok := r.dead[a.Subject]
		return ok && since.Before(a.OpenedAt)
	case watch.RuleGateDrift, watch.RulePaymentNoStay, watch.RuleSiteSilent:
		return sensorDeadAt(a.Subject)
	case watch.RuleIncident, watch.RuleLevelF, watch.RuleParkingLimit, watch.RuleOneWay, watch.RuleTidal:
		at := a.OpenedAt.UnixMilli()
		return slices.ContainsFunc(r.jams[a.Subject], func(until int64) bool { return at >= until-hour.Milliseconds() && at <= until+hour.Milliseconds() })
	default:
		return false
	}
}

// wrongly counts the complaints with nothing behind their anomaly, and those of them
// that accuse somebody of keeping money back.
func (r *boxRun) wrongly(all []filed, byID map[string]*incident) (wrong, accused int) {
	for _, c := range all {
		a := byID[c.Anomaly]
		if a != nil && r.behind(a) {
			continue
		}
		wrong++
		if slices.Contains(accuses, watch.Rule(c.Rule)) {
			accused++
		}
		fmt.Fprintf(os.Stderr, "wrong complaint: %s to %s at %s\n", c.Rule, c.Agency, c.ReceivedAt.Format(time.RFC3339))
	}
	return wrong, accused
}

func (r *boxRun) judge(ctx context.Context, g *gateway) error {
	found, err := anomaliesOf(ctx, g, r.played)
	if err != nil {
		return err
	}
	all, err := filedOf(ctx, g, r.played)
	if err != nil {
		return err
	}
	wrong, raised := 0, 0
	told, byID := map[string]bool{}, map[string]*incident{}
	for i := range found {
		a := &found[i]
		told[a.Subject], byID[a.ID] = true, a
		if a.Severity == string(watch.Low) {
			continue // no complaint comes of it
		}
		raised++
		if !r.behind(a) {
			wrong++
			fmt.Fprintf(os.Stderr, "wrong: %s of %s at %s\n", a.Rule, a.Subject, a.OpenedAt.Format(time.RFC3339))
		}
	}
	wrongly, accused := r.wrongly(all, byID)
	dead, silent := 0, 0
	for id, since := range r.dead {
		if d := r.version.Device(id); d.Kind == inventory.DeviceMeter && since.Before(r.until.Add(-2*day)) {
			dead++
			if told[id] {
				silent++
			}
		}
	}
	counted := slices.DeleteFunc(slices.Clone(all), func(c filed) bool { return c.ReceivedAt.Before(r.counts) })
	most, agency, date := r.busiest(counted)
	early, earlyAgency, earlyDate := r.busiest(all)
	row("half of the tapping boxes dead: new complaints an agency and working day", fmt.Sprintf("%d at most (%s, %s), %d in ten working days; in the days before %d at most (%s, %s)",
		most, agency, date, len(counted), early, earlyAgency, earlyDate), "<= 10", max(most, early) <= mostAday && len(all) > 0)
	row("half of the tapping boxes dead: complaints with nothing behind them", fmt.Sprintf("%d of %d, %d of them that money was kept back", wrongly, len(all), accused), "0", wrongly == 0 && len(all) > 0)
	row("half of the tapping boxes dead: anomalies with something behind them", fmt.Sprintf("%.3f (%d of %d)", part(raised-wrong, raised), raised-wrong, raised), ">= 0.9", part(raised-wrong, raised) >= leastPrecision)
	row("half of the tapping boxes dead: dead boxes that were told of", fmt.Sprintf("%.3f (%d of %d)", part(silent, dead), silent, dead), ">= 0.95", part(silent, dead) >= leastRecall)
	return nil
}
