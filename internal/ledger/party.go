package ledger

import (
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
)

// party is who owes what to whom for a reading: what the inventory that held
// at the reading's time says of its device.
type party struct {
	Site, Kecamatan, Operator, NPWPD, NOPD string
	Levy                                   inventory.Levy
	Account                                string
	Rate                                   int64 // millionths of what was paid that are due; -1 not known
}

const (
	whole       = 1_000_000 // millionths
	rateUnknown = -1
)

// place is what a device of one inventory version says, but for what depends
// on the day.
type place struct {
	version *inventory.Version
	site    *inventory.Site
	base    party
	day     int32 // of which party and account are the answer
	party   int32
	known   bool
}

// parties turns readings into parties and their ids. It belongs to the one
// goroutine that writes.
type parties struct {
	timeline *inventory.Timeline
	days     *calendar
	places   map[*inventory.Device]*place
	ids      map[party]int32
	list     []party // by id; 0 is unused
}

func newParties(o *Options, days *calendar) *parties {
	return &parties{
		timeline: o.Timeline, days: days, places: map[*inventory.Device]*place{},
		ids: map[party]int32{}, list: make([]party, 1),
	}
}

// of returns the party of a reading, its tariff version and what is missing.
func (p *parties) of(e *journal.Entry, day int32) (id int32, tariff string, flags Flags) {
	r := e.Reading
	pl := p.place(e.Pos, r)
	if pl.site == nil {
		return p.id(party{Rate: rateUnknown}), "", FlagNoSite | FlagNoAccount
	}
	if !pl.known || pl.day != day {
		who := pl.base
		if a := pl.version.AccountFor(who.Levy, dateOf(day)); a != nil {
			who.Account, who.Rate = a.Account, rateOf(a)
		}
		pl.day, pl.party, pl.known = day, p.id(who), true
	}
	if p.list[pl.party].Account == "" {
		flags |= FlagNoAccount
	}
	entered := r.At
	if r.Receipt.EnteredAt.OK {
		entered = r.Receipt.EnteredAt.V
	}
	v, err := pl.version.Tariffs.Version(pl.site.Tariff, entered, p.days.zone)
	if err != nil {
		return pl.party, "", flags | FlagNoTariff
	}
	return pl.party, v.ID, flags
}

func (p *parties) place(pos uint64, r *city.Reading) *place {
	device, v := p.timeline.Device(pos, r.At, r.Device)
	if pl := p.places[device]; pl != nil {
		return pl
	}
	pl := &place{version: v}
	if device != nil {
		pl.site = v.Site(device.Site)
	}
	if s := pl.site; s != nil {
		pl.base = partyAt(v, s)
	}
	p.places[device] = pl
	return pl
}

// partyAt is who owes what at a site of a version, but for what depends on the
// day.
func partyAt(v *inventory.Version, s *inventory.Site) party {
	who := party{Site: s.ID, Kecamatan: s.Kecamatan, Operator: s.Operator, NOPD: s.NOPD, Levy: s.Levy, Rate: rateUnknown}
	if o := v.Operator(s.Operator); o != nil {
		who.NPWPD = o.NPWPD
	}
	return who
}

// rateOf is the levy owed on a rupiah paid: PBJT by its rate, a retribusi
// whole, or the share by contract.
func rateOf(a *inventory.Account) int64 {
	switch {
	case a.Levy == inventory.LevyPBJT && a.RatePPM < 0:
		return rateUnknown
	case a.Levy == inventory.LevyPBJT:
		return a.RatePPM
	case a.SharePPM < 0:
		return whole
	default:
		return a.SharePPM
	}
}

func (p *parties) id(who party) int32 {
	id, ok := p.ids[who]
	if !ok {
		id = int32(len(p.list))
		p.ids[who] = id
		p.list = append(p.list, who)
	}
	return id
}

// calendar turns times into days of the city; it remembers the last one.
type calendar struct {
	zone       *time.Location
	from, till int64 // Unix ms
	day        int32
}

func (c *calendar) dayOf(at int64) int32 {
	if at < c.from || at >= c.till {
		t := time.UnixMilli(at).In(c.zone)
		y, m, d := t.Date()
		c.from = time.Date(y, m, d, 0, 0, 0, 0, c.zone).UnixMilli()
		c.till = time.Date(y, m, d+1, 0, 0, 0, 0, c.zone).UnixMilli()
		c.day = int32(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
	}
	return c.day
}

// dateOf returns the day as YYYY-MM-DD.
func dateOf(day int32) string {
	return time.Unix(int64(day)*86400, 0).UTC().Format(time.DateOnly)
}

// parseDate returns the day of YYYY-MM-DD.
func parseDate(date string) (int32, error) {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return 0, err
	}
	return int32(t.Unix() / 86400), nil
}
