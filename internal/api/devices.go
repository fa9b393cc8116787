package api

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/health"
	"github.com/simpang-id/simpang/internal/inventory"
)

// Device is a device of the inventory and how it fares.
type Device struct {
	ID          string     `json:"id"`
	Kind        TextOrNull `json:"kind" enum:"spot,gate,count,traffic,meter" doc:"null: it left the inventory"`
	Site        TextOrNull `json:"site"`
	Spot        TextOrNull `json:"spot"`
	Segment     TextOrNull `json:"segment"`
	Class       TextOrNull `json:"class"`
	Profile     TextOrNull `json:"profile"`
	IntervalS   city.Int   `json:"interval_s"`
	LastSeen    TimeOrNull `json:"last_seen" doc:"by our clock"`
	LastAt      TimeOrNull `json:"last_at" doc:"by the device's clock"`
	AgeS        city.Int   `json:"age_s" doc:"seconds since last_seen"`
	SkewMs      city.Int   `json:"skew_ms" doc:"our clock less the device's at the last reading"`
	Clock       TextOrNull `json:"clock" enum:"device,network,gateway" doc:"whose clock its readings' times are of; null: it left the inventory"`
	SkewS       city.Milli `json:"skew_s" doc:"our clock less the device's, s, as estimated out of many readings; null: not known yet, or it has no clock of its own"`
	Skewed      bool       `json:"skewed" doc:"skew_s is past the rules' device_skew: its readings are flagged"`
	Boot        city.Uint  `json:"boot"`
	Seq         city.Uint  `json:"seq"`
	BatteryV    city.Milli `json:"battery_v"`
	Temperature city.Milli `json:"temperature_c"`
	RSSI        city.Milli `json:"rssi_dbm"`
	SNR         city.Milli `json:"snr_db"`
	BatteryPct  city.Milli `json:"battery_pct" doc:"of devices that tell no voltage"`
	UptimeS     city.Int   `json:"uptime_s"`
	Firmware    TextOrNull `json:"firmware"`
	Errors      []string   `json:"errors"`
	Readings    uint64     `json:"readings"`
	Duplicates  uint64     `json:"duplicates"`
	Quarantined uint64     `json:"quarantined"`
	Silent      bool       `json:"silent" doc:"no reading for three intervals"`

	BatteryDays   city.Int   `json:"battery_days" doc:"days until the battery is at battery_low_v, by how it sank; 0: it is"`
	BatteryReason TextOrNull `json:"battery_days_reason" enum:"no_voltage,too_short,not_heard,steady" doc:"why battery_days is null"`
	BatteryLowV   city.Milli `json:"battery_low_v" doc:"device_battery.low_mv of rules.yaml"`
	LastGap       TimeOrNull `json:"last_gap" doc:"time of the reading behind the newest numbers that never came; null: none of the newest eight gaps is open"`
	GapDays       city.Int   `json:"gap_days" doc:"whole days since last_gap"`
}

// Gap is sequence numbers that never came, both inclusive.
type Gap struct {
	Boot    city.Uint `json:"boot"`
	FromSeq uint64    `json:"from_seq"`
	ToSeq   uint64    `json:"to_seq"`
}

// Completeness is what of a device's day is there.
type Completeness struct {
	Device      string `json:"device"`
	Date        string `json:"date" format:"date"`
	Expected    int64  `json:"expected"`
	Received    int64  `json:"received"`
	Duplicate   int64  `json:"duplicate"`
	Late        int64  `json:"late" doc:"received over two intervals after at"`
	Quarantined int64  `json:"quarantined"`
	Missing     int64  `json:"missing" doc:"expected - received - quarantined"`
	OlderRuns   int64  `json:"older_runs,omitempty" doc:"runs of the day that are in the counts and of which no gap is told, for there were too many"`
	Gaps        []Gap  `json:"gaps"`
	Basis       string `json:"basis" enum:"sequence,frame_counter,gateway,none" doc:"what tells how many were to be expected; none: nothing that is numbered came, and what is missing is not known"`
}

// device joins what the inventory and the follower know.
func (s *Server) device(d *inventory.Device, h *health.DeviceState, now int64) Device {
	item := Device{
		ID: h.ID, LastSeen: s.atOrNull(h.LastSeen), LastAt: s.atOrNull(h.LastAt), SkewMs: h.SkewMs, Boot: city.BitsOf(h.Boot), Seq: city.BitsOf(h.Seq),
		BatteryV: h.Battery, Temperature: h.Temperature, RSSI: h.RSSI, SNR: h.SNR, BatteryPct: h.BatteryPct, UptimeS: h.UptimeS, Firmware: TextOrNull(h.Firmware),
		Errors: orEmpty(h.Errors), Readings: h.Readings, Duplicates: h.Duplicates, Quarantined: h.Quarantined, Silent: h.Silent,
	}
	if h.LastSeen != 0 {
		item.AgeS = city.SomeInt(ageS(h.LastSeen, now))
	}
	if h.LastGap.OK {
		item.LastGap = s.atOrNull(h.LastGap.V)
		item.GapDays = city.SomeInt(max(0, now-h.LastGap.V) / (24 * time.Hour).Milliseconds())
	}
	if d == nil {
		return item
	}
	item.ID, item.Kind, item.Site, item.Spot = d.ID, TextOrNull(d.Kind), TextOrNull(d.Site), TextOrNull(d.Spot)
	s.clockOf(&item, d, h)
	item.Segment, item.Class, item.Profile = TextOrNull(d.Segment), TextOrNull(d.Class.String()), TextOrNull(d.Profile)
	if d.IntervalS > 0 {
		item.IntervalS = city.SomeInt(int64(d.IntervalS))
	}
	return item
}

// withFleet adds what takes some computing, for the rows that are shown only.
func (s *Server) withFleet(list []Device, now int64) {
	limit := int64(s.board.Load().version.Rules.DeviceBattery.LowMV)
	for i := range list {
		d := &list[i]
		f := s.Devices.Battery(d.ID, limit, now)
		d.BatteryDays, d.BatteryReason, d.BatteryLowV = f.Days, TextOrNull(f.Reason), city.SomeMilli(f.LimitMV)
	}
}

// devices serves /v1/devices.
func (s *Server) devices(w http.ResponseWriter, q *request) error {
	states := map[string]health.DeviceState{}
	for _, h := range s.Devices.Devices() {
		states[h.ID] = h
	}
	kind, site, silent := q.text("kind"), q.text("site"), q.args.get("silent")
	var all []Device
	for _, d := range s.board.Load().version.Devices {
		h := states[d.ID]
		if kind != "" && string(d.Kind) != kind || site != "" && d.Site != site || silent.given && h.Silent != silent.flag {
			continue
		}
		all = append(all, s.device(d, &h, q.now.UnixMilli()))
	}
	key := func(d Device) string { return d.ID }
	items, next := firstPage(pageAfter(q, all, key), q.limit(), key)
	s.withFleet(items, q.now.UnixMilli())
	if q.format() == "json" {
		writeJSON(w, q, http.StatusOK, List[Device]{append([]Device{}, items...), next})
		return nil
	}
	linkNext(w, q, next)
	t := &table{name: "devices", columns: []string{
		"id", "kind", "site", "spot", "segment", "class", "profile", "interval_s", "last_seen", "last_at", "age_s", "skew_ms", "clock", "skew_s", "skewed", "boot", "seq",
		"battery_v", "temperature_c", "rssi_dbm", "snr_db", "battery_pct", "uptime_s", "firmware", "errors", "readings", "duplicates", "quarantined", "silent",
		"battery_days", "battery_days_reason", "battery_low_v", "last_gap", "gap_days",
	}}
	for _, d := range items {
		t.add(d.ID, string(d.Kind), string(d.Site), string(d.Spot), string(d.Segment), string(d.Class), string(d.Profile), cellInt(d.IntervalS),
			string(d.LastSeen), string(d.LastAt), cellInt(d.AgeS), cellInt(d.SkewMs), string(d.Clock), cellMilli(d.SkewS), d.Skewed, cellUint(d.Boot), cellUint(d.Seq),
			cellMilli(d.BatteryV), cellMilli(d.Temperature), cellMilli(d.RSSI), cellMilli(d.SNR), cellMilli(d.BatteryPct), cellInt(d.UptimeS), string(d.Firmware),
			strings.Join(d.Errors, " "), int64(d.Readings), int64(d.Duplicates), int64(d.Quarantined), d.Silent,
			cellInt(d.BatteryDays), string(d.BatteryReason), cellMilli(d.BatteryLowV), string(d.LastGap), cellInt(d.GapDays))
	}
	return s.writeTable(w, q, t, notStored, "")
}

// findDevice returns a device that the inventory or the follower knows.
func (s *Server) findDevice(id string) (*inventory.Device, health.DeviceState, error) {
	d := s.board.Load().version.Device(id)
	h, known := s.Devices.Device(id)
	if d == nil && !known {
		return nil, h, notFound("there is no such device")
	}
	return d, h, nil
}

// oneDevice serves /v1/devices/{id}.
func (s *Server) oneDevice(w http.ResponseWriter, q *request) error {
	d, h, err := s.findDevice(q.text("id"))
	if err != nil {
		return err
	}
	one := []Device{s.device(d, &h, q.now.UnixMilli())}
	one[0].ID = cmp.Or(one[0].ID, q.text("id"))
	s.withFleet(one, q.now.UnixMilli())
	writeJSON(w, q, http.StatusOK, one[0])
	return nil
}

// completeness serves /v1/devices/{id}/completeness.
func (s *Server) completeness(w http.ResponseWriter, q *request) error {
	d, _, err := s.findDevice(q.text("id"))
	if err != nil {
		return err
	}
	date := s.day(q.now.UnixMilli())
	if q.given("date") {
		date = q.text("date")
	}
	answer, err := s.completenessOf(q, d, date)
	if err != nil {
		return err
	}
	if q.format() == "json" {
		writeJSON(w, q, http.StatusOK, answer)
		return nil
	}
	t := &table{name: "completeness-" + fileName(answer.Device) + "-" + date, columns: []string{
		"device", "date", "expected", "received", "duplicate", "late", "quarantined", "missing", "gaps",
	}}
	t.add(answer.Device, date, answer.Expected, answer.Received, answer.Duplicate, answer.Late, answer.Quarantined, answer.Missing, int64(len(answer.Gaps)))
	return s.writeTable(w, q, t, notStored, "")
}
