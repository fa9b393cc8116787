package api

import (
	"net/http"
	"slices"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/token"
)

// Reading is one reading as its device sent it (contract, section 2), with
// what the gateway knows of it. Members of other kinds are left out.
type Reading struct {
	Pos        uint64    `json:"pos" doc:"position in the journal"`
	Kind       string    `json:"kind" enum:"spot,gate,count,traffic,receipt,health"`
	Boot       city.Uint `json:"boot"`
	Seq        uint64    `json:"seq"`
	At         Time      `json:"at"`
	ReceivedAt Time      `json:"received_at"`
	Source     string    `json:"source"`
	Flags      []string  `json:"flags" doc:"late, retried, new_run, reset"`

	Occupied    any         `json:"occupied,omitempty" doc:"spot: true or false; count: vehicles"`
	DwellS      *int64      `json:"dwell_s,omitempty"`
	BatteryV    *city.Milli `json:"battery_v,omitempty"`
	Temperature *city.Milli `json:"temperature_c,omitempty"`
	RSSI        *city.Milli `json:"rssi_dbm,omitempty"`
	Direction   string      `json:"direction,omitempty" enum:"in,out"`
	Class       string      `json:"class,omitempty"`
	Count       *uint32     `json:"count,omitempty"`
	PeriodS     *uint32     `json:"period_s,omitempty"`
	Lanes       []Lane      `json:"lanes,omitempty"`
	Receipt     string      `json:"receipt,omitempty"`
	Amount      *int64      `json:"amount,omitempty"`
	Method      string      `json:"method,omitempty"`
	EnteredAt   Time        `json:"entered_at,omitempty"`
	LeftAt      Time        `json:"left_at,omitempty"`
	Void        bool        `json:"void,omitempty"`
	TotalCount  *int64      `json:"total_count,omitempty"`
	TotalAmount *int64      `json:"total_amount,omitempty"`
	UptimeS     *int64      `json:"uptime_s,omitempty"`
	Firmware    string      `json:"firmware,omitempty"`
	Errors      []string    `json:"errors,omitempty"`
	SNR         *city.Milli `json:"snr_db,omitempty"`
	BatteryPct  *city.Milli `json:"battery_pct,omitempty"`
	Total       *int64      `json:"total,omitempty" doc:"of a counter that never goes back, as sent; count is what it grew by"`
}

// ReadingList is a page of readings. Where some lie on a server that does not
// answer, it says so.
type ReadingList struct {
	List[Reading]

	Quality string `json:"quality,omitempty" enum:"partial" doc:"partial: some of the span are missing; absent: all that there are"`
	Missing string `json:"missing,omitempty" doc:"which are missing, and why"`
}

const partial = "partial"

// Lane is one lane of a traffic reading.
type Lane struct {
	Lane         uint16      `json:"lane"`
	Direction    string      `json:"direction" enum:"forward,backward"`
	Counts       *LaneCounts `json:"counts,omitempty"`
	SpeedKmh     *city.Milli `json:"speed_kmh,omitempty"`
	OccupancyPct *city.Milli `json:"occupancy_pct,omitempty"`
	Total        *int64      `json:"total,omitempty" doc:"of a counter that never goes back, as sent; counts are what it grew by"`
}

// LaneCounts is vehicles by the classes of PKJI 2023.
type LaneCounts struct {
	SM      uint32 `json:"SM"`
	KR      uint32 `json:"KR"`
	KB      uint32 `json:"KB"`
	KTB     uint32 `json:"KTB"`
	Unknown uint32 `json:"unknown"`
}

// readings serves /v1/devices/{id}/readings.
func (s *Server) readings(w http.ResponseWriter, q *request) error {
	id := q.text("id")
	d, _, err := s.findDevice(id)
	if err != nil {
		return err
	}
	sp, err := q.span(24 * time.Hour)
	if err != nil {
		return err
	}
	kinds, err := readableKinds(q)
	if err != nil {
		return err
	}
	page, err := s.Readings.Readings(q.Context(), id, sp.from, sp.to, kinds, q.text("cursor"), q.limit())
	if err != nil {
		return err
	}
	found, next := page.Entries, page.Next
	unwanted := func(e journal.Entry) bool { return e.Reading == nil || !slices.Contains(kinds, e.Reading.Kind) }
	if slices.ContainsFunc(found, unwanted) {
		found = slices.DeleteFunc(slices.Clone(found), unwanted) // what was found is shared
	}
	if d != nil && d.Kind == inventory.DeviceMeter && slices.Contains(kinds, city.KindReceipt) {
		s.access(q, "a meter's readings were read", "device", id, "from", s.at(sp.from), "to", s.at(sp.to), "readings", len(found))
	}
	if q.format() != "json" {
		linkNext(w, q, cursorOf(next))
		if page.Missing != "" {
			w.Header().Set("Simpang-Quality", partial) // a table has no place for it
		}
		return s.writeTable(w, q, s.readingTable(id, found), notStored, "")
	}
	writeEncoded(w, q, http.StatusOK, s.readingList(found, cursorOf(next), page.Missing))
	return nil
}

// readableKinds returns the kinds asked for that the role may see: dishub no
// money.
func readableKinds(q *request) ([]city.Kind, error) {
	hidden := q.is(token.Dishub)
	if name := q.text("kind"); name != "" {
		kind, _ := city.ParseKind(name)
		if hidden && kind == city.KindReceipt {
			return nil, problem(http.StatusForbidden, "role dishub may not read money kinds")
		}
		return []city.Kind{kind}, nil
	}
	kinds := slices.Clone(city.Kinds)
	if hidden {
		kinds = slices.DeleteFunc(kinds, func(k city.Kind) bool { return k == city.KindReceipt })
	}
	return kinds, nil
}

// reading shows an entry in the words of format native.
func (s *Server) reading(e *journal.Entry) Reading {
	r := e.Reading
	out := Reading{
		Pos: e.Pos, Kind: r.Kind.String(), Boot: city.Uint{V: r.Boot, OK: r.HasBoot}, Seq: r.Seq,
		At: s.at(r.At), ReceivedAt: s.at(e.Recv), Source: e.Source, Flags: flagNames(e.Flags),
	}
	switch {
	case r.Spot != nil:
		out.Occupied = r.Spot.Occupied
		out.DwellS, out.BatteryV = whole(r.Spot.DwellS), milli(r.Spot.Battery)
		out.Temperature, out.RSSI = milli(r.Spot.Temperature), milli(r.Spot.RSSI)
		out.SNR = milli(r.Spot.SNR)
	case r.Gate != nil:
		out.Direction, out.Class, out.Count = "in", r.Gate.Class.String(), &r.Gate.Count
		out.Total = whole(r.Gate.Total)
		if r.Gate.Out {
			out.Direction = "out"
		}
	case r.Count != nil:
		out.Occupied, out.Class = r.Count.Occupied, r.Count.Class.String()
	case r.Traffic != nil:
		out.PeriodS, out.Lanes = &r.Traffic.PeriodS, lanes(r.Traffic.Lanes)
	case r.Receipt != nil:
		s.showReceipt(&out, r.Receipt)
	case r.Health != nil:
		out.BatteryV, out.UptimeS, out.Firmware, out.Errors = milli(r.Health.Battery), whole(r.Health.UptimeS), r.Health.Firmware, r.Health.Errors
		out.RSSI, out.SNR, out.BatteryPct = milli(r.Health.RSSI), milli(r.Health.SNR), milli(r.Health.BatteryPct)
	}
	return out
}

// showReceipt leaves out the plate's hash: nobody needs it here.
func (s *Server) showReceipt(out *Reading, r *city.Receipt) {
	amount := int64(r.Amount)
	out.Receipt, out.Amount, out.Method, out.Class, out.Void = r.Number, &amount, r.Method.String(), r.Class.String(), r.Void
	out.TotalCount, out.TotalAmount = whole(r.TotalCount), whole(r.TotalAmount)
	out.EnteredAt, out.LeftAt = Time(s.atOrNull(r.EnteredAt.V)), Time(s.atOrNull(r.LeftAt.V))
}

func lanes(all []city.Lane) []Lane {
	out := make([]Lane, 0, len(all))
	for _, l := range all {
		lane := Lane{Lane: l.Lane, Direction: "forward", SpeedKmh: milli(l.Speed), OccupancyPct: milli(l.Occupancy), Total: whole(l.Total)}
		if l.Backward {
			lane.Direction = "backward"
		}
		if l.HasCounts {
			lane.Counts = &LaneCounts{l.SM, l.KR, l.KB, l.KTB, l.Unknown}
		}
		out = append(out, lane)
	}
	return out
}

func flagNames(f journal.Flags) []string {
	names := []string{}
	for _, known := range []struct {
		flag journal.Flags
		name string
	}{{journal.FlagLate, "late"}, {journal.FlagRetried, "retried"}, {journal.FlagNewRun, "new_run"}, {journal.FlagReset, "reset"}} {
		if f&known.flag != 0 {
			names = append(names, known.name)
		}
	}
	return names
}

func whole(i city.Int) *int64 {
	if !i.OK {
		return nil
	}
	return &i.V
}

func milli(m city.Milli) *city.Milli {
	if !m.OK {
		return nil
	}
	return &m
}

// readingTable makes a row of each reading, its body as JSON.
func (s *Server) readingTable(device string, found []journal.Entry) *table {
	t := &table{name: "readings-" + fileName(device), columns: []string{"device", "kind", "boot", "seq", "at", "received_at", "source", "flags", "reading"}}
	for i := range found {
		r := s.reading(&found[i])
		t.add(device, r.Kind, cellUint(r.Boot), cellUint(city.Uint{V: r.Seq, OK: true}), string(r.At), string(r.ReceivedAt), r.Source, joinWords(r.Flags), string(encode(r)))
	}
	return t
}
