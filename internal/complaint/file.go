package complaint

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/inventory"
)

// waitingMost is how many waiting incidents are looked at in one go, the worst
// first.
const waitingMost = 5000

// File makes complaints of the incidents that wait. Those of one rule, agency
// and kecamatan that came together are one complaint, a digest, and so is the
// whole city's where there are more than the agency may get on a working day.
// What is over the limit waits, the worst first; the last fifth of the limit is
// kept for what is of high severity.
func (r *Register) File(ctx context.Context, now int64) (filed int, err error) {
	err = r.change(ctx, now, func(x *change) error {
		filed = 0
		groups, err := x.groups()
		if err != nil {
			return err
		}
		agencies := map[string][]*group{}
		var order []string
		for _, g := range groups {
			if agencies[g.agency] == nil {
				order = append(order, g.agency)
			}
			agencies[g.agency] = append(agencies[g.agency], g)
		}
		for _, agency := range order {
			n, err := x.fileFor(agency, agencies[agency])
			if err != nil {
				return err
			}
			filed += n
		}
		return nil
	})
	return filed, err
}

// group is what may be filed together.
type group struct {
	service   *inventory.Service
	agency    string
	kecamatan string
	money     bool
	list      []*known
}

func (g *group) rank() int64 { return rankOf[g.list[0].Severity] }

// digest names the complaint that further ones of the day join.
func (g *group) digest(day string) string {
	return strings.Join([]string{g.agency, g.service.Code, g.list[0].Rule, g.kecamatan, day}, "|")
}

// groups returns the waiting incidents whose time to gather is over, the worst
// and oldest first.
func (x *change) groups() (groups []*group, err error) {
	rows, err := x.tx.QueryContext(x.ctx, "SELECT "+knownColumns+" FROM incident WHERE state = 'waiting' ORDER BY rank DESC, since, id LIMIT ?", waitingMost)
	if err != nil {
		return nil, err
	}
	defer closeRows(rows)
	at := map[string]*group{}
	for rows.Next() {
		k, err := scanKnown(rows)
		if err != nil {
			return nil, err
		}
		s := x.v.ServiceOfRule(k.Rule)
		if s == nil {
			continue // the rule is of no service any more: it waits until it is
		}
		agency, kecamatan := x.agencyOf(s, &k.Incident)
		money := s.Confidential || k.Money
		key := fmt.Sprint(agency, "|", k.Rule, "|", kecamatan, "|", money)
		g := at[key]
		if g == nil {
			g = &group{service: s, agency: agency, kecamatan: kecamatan, money: money}
			at[key] = g
			groups = append(groups, g)
		}
		g.list = append(g.list, k)
	}
	young := func(g *group) bool {
		return !slices.ContainsFunc(g.list, func(k *known) bool { return x.now-k.since >= x.o.Gather.Milliseconds() || k.since > x.now })
	}
	return slices.DeleteFunc(groups, young), rows.Err()
}

// fileFor files what an agency may get today.
func (x *change) fileFor(agency string, groups []*group) (filed int, err error) {
	day := x.v.WorkingDay(x.now)
	var rest []*group
	for _, g := range groups {
		joined, err := x.join(g, day)
		if err != nil {
			return 0, err
		}
		if !joined {
			rest = append(rest, g)
		}
	}
	var today int
	if err := x.tx.QueryRowContext(x.ctx, "SELECT count(*) FROM complaint WHERE agency = ? AND day = ?", agency, day).Scan(&today); err != nil {
		return 0, err
	}
	free := x.o.Limit - today
	units := x.units(rest)
	if len(units) > free {
		units = x.units(wider(rest))
	}
	for _, u := range units {
		reserve := x.o.Limit / 5
		if u.rank() >= rankOf["high"] {
			reserve = 0
		}
		if free-filed <= reserve {
			continue
		}
		if err := x.open(u, day); err != nil {
			return filed, err
		}
		filed++
	}
	if left := len(units) - filed; left > 0 && x.warned[agency] != day {
		x.warned[agency] = day
		x.o.Log.WarnContext(x.ctx, "an agency has as many new complaints as it gets on a working day; the rest waits",
			"agency", agency, "day", day, "limit", x.o.Limit, "waiting", left)
	}
	return filed, nil
}

// units returns what one complaint each is made of, the worst first.
func (x *change) units(groups []*group) (units []*group) {
	for _, g := range groups {
		if len(g.list) >= x.o.Digest {
			units = append(units, g)
			continue
		}
		for _, k := range g.list {
			one := *g
			one.list = []*known{k}
			units = append(units, &one)
		}
	}
	slices.SortStableFunc(units, func(a, b *group) int { return int(b.rank() - a.rank()) })
	return units
}

// wider makes one group of those of the whole city.
func wider(groups []*group) (out []*group) {
	at := map[string]*group{}
	for _, g := range groups {
		key := fmt.Sprint(g.list[0].Rule, "|", g.money)
		w := at[key]
		if w == nil {
			first := *g
			first.list = slices.Clone(g.list)
			at[key] = &first
			out = append(out, &first)
			continue
		}
		w.kecamatan = ""
		w.list = append(w.list, g.list...)
		slices.SortStableFunc(w.list, func(a, b *known) int { return int(rankOf[b.Severity] - rankOf[a.Severity]) })
	}
	return out
}

// join adds a group to the day's digest, if there is one that is not over.
func (x *change) join(g *group, day string) (bool, error) {
	whole := *g
	whole.kecamatan = ""
	for _, digest := range []string{g.digest(day), whole.digest(day)} {
		var num int64
		err := x.tx.QueryRowContext(x.ctx, `SELECT coalesce(max(num), 0) FROM complaint WHERE digest = ? AND money = ? AND state IN ('received', 'verified', 'in_progress')`,
			digest, flag(g.money)).Scan(&num)
		if err != nil {
			return false, err
		}
		if num == 0 {
			continue
		}
		rec, err := getNum(x.ctx, x.tx, num)
		if err != nil {
			return false, err
		}
		rec.Recovered = 0
		x.describe(rec, g.list)
		_, err = x.tell(rec, Update{
			What: "joined", Status: StatusUnchanged, Text: "Bertambah " + subjectsText(g.list) + ".",
		})
		if err == nil {
			err = x.put(rec)
		}
		if err == nil {
			err = x.belong(rec, g.list)
		}
		return err == nil, err
	}
	return false, nil
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// belong notes whose complaint the incidents are.
func (x *change) belong(rec *record, list []*known) error {
	for _, k := range list {
		k.state, k.complaint = rowFiled, rec.num
		if err := x.putKnown(k); err != nil {
			return err
		}
	}
	return nil
}

// open makes a complaint of a group.
func (x *change) open(g *group, day string) error {
	first := g.list[0]
	rec := &record{day: day, Complaint: Complaint{
		Source: SourceAnomaly, Service: g.service.Code, Agency: g.agency, Kecamatan: g.kecamatan, Money: g.money, Public: g.service.Public && !g.money,
		Incident: first.ID, Rule: first.Rule, Severity: first.Severity,
	}}
	if len(g.list) > 1 {
		rec.digest = g.digest(day)
	}
	x.describe(rec, g.list)
	if len(g.list) == 1 {
		x.placeOf(rec, first)
	}
	if err := x.number(rec); err != nil {
		return err
	}
	r := rulesOf(x.v, rec.Service)
	rec.receive(x.now, r)
	if _, err := x.tell(rec, Update{What: "received"}); err != nil {
		return err
	}
	if g.service.Automatic && !g.money {
		rec.move(StateVerified, x.now, r)
		if _, err := x.tell(rec, Update{What: "verified", Text: "Diverifikasi otomatis dari data sensor dan diteruskan."}); err != nil {
			return err
		}
		if err := x.queue(rec); err != nil {
			return err
		}
	}
	if err := x.put(rec); err != nil {
		return err
	}
	return x.belong(rec, g.list)
}

// placeOf says where a complaint of one subject lies.
func (x *change) placeOf(rec *record, k *known) {
	if x.siteOf(&k.Incident) != nil {
		x.place(&rec.Complaint)
		return
	}
	if s := x.v.Segment(k.segmentOf(x.v)); s != nil && len(s.Line) > 0 {
		middle := s.Line[len(s.Line)/2]
		rec.Lat, rec.Long, rec.Located, rec.Address = middle.Lat, middle.Lon, true, s.Name
	}
}

func (i *Incident) segmentOf(v *inventory.Version) string {
	if i.Segment == "" {
		if d := v.Device(i.Device); d != nil {
			return d.Segment
		}
	}
	return i.Segment
}

// namedMost is how many subjects a description names.
const namedMost = 20

// describe adds what the incidents are about to a complaint, and says it. What
// is about money says neither amount nor operator.
func (x *change) describe(rec *record, list []*known) {
	add := func(ids *[]string, id string) {
		if id != "" && !slices.Contains(*ids, id) {
			*ids = append(*ids, id)
		}
	}
	since := list[0].OpenedAt
	for _, k := range list {
		site := k.Site
		if s := x.siteOf(&k.Incident); s != nil {
			site = s.ID
		}
		add(&rec.Subjects.Sites, site)
		add(&rec.Subjects.Segments, k.segmentOf(x.v))
		add(&rec.Subjects.Devices, k.Device)
		since = min(since, k.OpenedAt)
		if rankOf[k.Severity] > rankOf[rec.Severity] {
			rec.Severity = k.Severity
		}
		x.note(rec, k)
	}
	if rec.Description != "" {
		rec.Description += "\nBertambah " + subjectsText(list) + "."
	} else {
		name := rec.Service
		if s := x.v.Service(rec.Service); s != nil {
			name = s.Name
		}
		rec.Description = fmt.Sprintf("%s (%s): %s%s.", name, list[0].Rule, subjectsText(list), x.sinceText(since))
	}
	rec.Description = cut(rec.Description, TextMost)
}

// note keeps an incident's figures for officers.
func (x *change) note(rec *record, k *known) {
	if !rec.Money || len(k.Sums) == 0 {
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s:", k.Rule, k.Subject)
	for _, s := range k.Sums {
		fmt.Fprintf(&b, " %s=%d", s.Name, s.Value)
	}
	if rec.Private.Text != "" {
		rec.Private.Text += "\n"
	}
	rec.Private.Text = cut(rec.Private.Text+b.String(), TextMost)
}

// cut shortens a text to so many characters.
func cut(text string, most int) string {
	if r := []rune(text); len(r) > most {
		return string(r[:most-3]) + "..."
	}
	return text
}

func subjectsText(list []*known) string {
	names := make([]string, 0, namedMost)
	for _, k := range list[:min(len(list), namedMost)] {
		names = append(names, k.Subject)
	}
	text := strings.Join(names, ", ")
	if more := len(list) - namedMost; more > 0 {
		text += fmt.Sprintf(" dan %d lainnya", more)
	}
	return text
}

// sinceText tells a time, nothing where it is not known.
func (x *change) sinceText(at int64) string {
	if at <= 0 {
		return ""
	}
	return " sejak " + time.UnixMilli(at).In(x.o.Zone).Format("2006-01-02 15:04 MST")
}
