package endtoend_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// reading is one reading, as the truth file and the API both write it.
type reading struct {
	Kind string    `json:"kind"`
	Boot *uint64   `json:"boot"`
	Seq  uint64    `json:"seq"`
	At   time.Time `json:"at"`

	Occupied    any        `json:"occupied"`
	DwellS      *int64     `json:"dwell_s"`
	BatteryV    *float64   `json:"battery_v"`
	Temperature *float64   `json:"temperature_c"`
	RSSI        *float64   `json:"rssi_dbm"`
	Direction   string     `json:"direction"`
	Class       string     `json:"class"`
	Count       *int64     `json:"count"`
	PeriodS     int64      `json:"period_s"`
	Lanes       []lane     `json:"lanes"`
	Receipt     string     `json:"receipt"`
	Amount      int64      `json:"amount"`
	Method      string     `json:"method"`
	EnteredAt   *time.Time `json:"entered_at"`
	LeftAt      *time.Time `json:"left_at"`
	Void        bool       `json:"void"`
	TotalCount  *int64     `json:"total_count"`
	TotalAmount *int64     `json:"total_amount"`
	UptimeS     *int64     `json:"uptime_s"`
	Firmware    string     `json:"firmware"`
	Errors      []string   `json:"errors"`

	// What only the API says.
	Pos        uint64    `json:"pos"`
	ReceivedAt time.Time `json:"received_at"`
	Source     string    `json:"source"`
	Flags      []string  `json:"flags"`
}

type lane struct {
	Lane         int      `json:"lane"`
	Direction    string   `json:"direction"`
	Counts       *counts  `json:"counts"`
	SpeedKmh     *float64 `json:"speed_kmh"`
	OccupancyPct *float64 `json:"occupancy_pct"`
}

type counts struct{ SM, KR, KB, KTB, Unknown int64 }

// said is what the device said, everything of it, as text.
func (r reading) said() string {
	r.Pos, r.ReceivedAt, r.Source, r.Flags = 0, time.Time{}, "", nil
	r.At = r.At.UTC()
	for _, p := range []**time.Time{&r.EnteredAt, &r.LeftAt} {
		if *p != nil {
			u := (*p).UTC()
			*p = &u
		}
	}
	if r.Kind == "gate" && r.Count == nil {
		one := int64(1)
		r.Count = &one
	}
	if len(r.Errors) == 0 {
		r.Errors = nil
	}
	lanes := make([]lane, len(r.Lanes))
	for i, l := range r.Lanes {
		if l.Direction == "" {
			l.Direction = "forward"
		}
		lanes[i] = l
	}
	r.Lanes = lanes
	text, err := json.Marshal(r)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// id is the reading's identity among those of its device.
func (r reading) id() string { return idOf(r.Boot, r.Seq, r.At.UnixMilli()) }

func idOf(boot *uint64, seq uint64, at int64) string {
	if boot == nil {
		return fmt.Sprintf(":%d@%d", seq, at)
	}
	return fmt.Sprintf("%d:%d", *boot, seq)
}

func (r reading) name(device string) string {
	boot := ""
	if r.Boot != nil {
		boot = strconv.FormatUint(*r.Boot, 10)
	}
	return fmt.Sprintf("%s:%s:%d", device, boot, r.Seq)
}

// fate is what became of one device's messages.
type fate struct {
	delivered  []reading
	duplicates int
	refused    []truthLine
	resent     int
	unacked    int

	redelivered bool // a broker between may have sent any of it again
}

// truthLine is what the tests need of a line of a truth file
// (docs/firmware-sim.md).
type truthLine struct {
	What    string          `json:"what"`
	Device  string          `json:"device"`
	Kind    string          `json:"kind"`
	Boot    *uint64         `json:"boot"`
	Seq     uint64          `json:"seq"`
	At      int64           `json:"at"`
	Reason  string          `json:"reason"`
	Fault   string          `json:"fault"`
	Start   int64           `json:"start"`
	Reading json.RawMessage `json:"reading"`
	Receipt string          `json:"receipt"`
	Amount  int64           `json:"amount"`

	after time.Time // refused: At of the reading of the device that was delivered before
}

// world is what truth files say.
type world struct {
	start   int64 // Unix ms
	devices map[string]*fate
	faults  map[string]int
	ended   bool
}

func (w *world) of(device string) *fate {
	if w.devices[device] == nil {
		w.devices[device] = &fate{}
	}
	return w.devices[device]
}

func (w *world) delivered() (n int) {
	for _, f := range w.devices {
		n += len(f.delivered)
	}
	return n
}

func (w *world) resent() (n int) {
	for _, f := range w.devices {
		n += f.resent
	}
	return n
}

// readTruth reads truth files, each of a simulation that ended.
func readTruth(t *testing.T, names ...string) *world {
	t.Helper()
	w := &world{devices: map[string]*fate{}, faults: map[string]int{}}
	for _, name := range names {
		w.ended = false
		w.read(t, name)
		require.True(t, w.ended, "%s has no end", name)
	}
	return w
}

func (w *world) read(t *testing.T, name string) {
	t.Helper()
	f, err := os.Open(name)
	require.NoError(t, err)
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var l truthLine
		require.NoError(t, json.Unmarshal(lines.Bytes(), &l))
		switch l.What {
		case "run":
			if w.start == 0 || l.Start < w.start {
				w.start = l.Start
			}
		case "delivered":
			var r reading
			require.NoError(t, json.Unmarshal(l.Reading, &r), "%s", l.Reading)
			w.of(l.Device).delivered = append(w.of(l.Device).delivered, r)
		case "duplicate":
			w.of(l.Device).duplicates++
		case "refused":
			if before := w.of(l.Device).delivered; len(before) > 0 {
				l.after = before[len(before)-1].At
			}
			w.of(l.Device).refused = append(w.of(l.Device).refused, l)
		case "resent":
			w.of(l.Device).resent++
		case "unacked":
			w.of(l.Device).unacked++
		case "fault":
			w.faults[l.Fault]++
		case "end":
			w.ended = true
		}
	}
	require.NoError(t, lines.Err())
}
