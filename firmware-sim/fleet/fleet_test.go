package fleet_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/firmware-sim/fleet"
	"github.com/simpang-id/simpang/firmware-sim/message"
	"github.com/simpang-id/simpang/firmware-sim/scenario"
	"github.com/simpang-id/simpang/firmware-sim/truth"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/tariff"
	"github.com/simpang-id/simpang/internal/wire/frames"
	"github.com/simpang-id/simpang/internal/wire/native"
)

const faults = `
devices: {no_boot: 0.2}
parking: {overfull: 0.3}
payments: {void: 0.05, reprint: 0.05, plate: 0.5}
faults: {lost: 0.02, doubled: 0.02, late: 0.02, corrupt: 0.02, conflict: 0.01, clock_wrong: 0.01,
  clock_drift: 3s, dead: 0.1, reboot: 2, jam: 3}
`

// ran is a simulation from its first message to its last.
type ran struct {
	version  *inventory.Version
	scenario *scenario.Scenario
	start    int64
	end      int64
	messages []message.Message
	lines    []truth.Line
	file     []byte
	expected *truth.Expected
}

func load(t *testing.T, text string) (*inventory.Version, *scenario.Scenario) {
	t.Helper()
	s, err := scenario.Parse([]byte(text))
	require.NoError(t, err)
	v, found, err := inventory.Load("../testdata/city", s.Zone)
	require.NoError(t, err)
	require.Empty(t, found)
	return v, s
}

// run simulates from Monday 2 March 2026, 06:00, acknowledging everything.
func run(t *testing.T, text string, hours int, seed uint64, f message.Format) *ran {
	t.Helper()
	return runFrom(t, 2, text, hours, seed, f)
}

// runFrom simulates from a day of March 2026, 06:00.
func runFrom(t *testing.T, day int, text string, hours int, seed uint64, f message.Format) *ran {
	t.Helper()
	v, s := load(t, text)
	r := &ran{version: v, scenario: s, start: time.Date(2026, 3, day, 6, 0, 0, 0, s.Zone).UnixMilli()}
	r.end = r.start + int64(hours)*3_600_000
	var file bytes.Buffer
	w := truth.NewWriter(&file)
	sim, err := fleet.New(fleet.Options{
		Version: v, Scenario: s, Seed: seed, Start: r.start, End: r.end, Truth: w,
		Format: func(string) message.Format { return f },
	})
	require.NoError(t, err)
	for {
		m, ok := sim.Next()
		if !ok {
			break
		}
		r.messages = append(r.messages, m)
		w.Message(string(m.Expect), &m)
	}
	sim.Finish()
	require.NoError(t, w.Close())
	r.file = bytes.Clone(file.Bytes())
	r.expected = truth.NewExpected(v)
	require.NoError(t, truth.Read(&file, func(l truth.Line) error {
		r.lines = append(r.lines, l)
		return r.expected.Line(l)
	}))
	require.NotEmpty(t, r.messages)
	return r
}

func digest(r *ran) string {
	h := sha256.New()
	for _, m := range r.messages {
		_, _ = fmt.Fprintf(h, "%d %s %s\n", m.SendAt, m.Device, m.Payload)
	}
	h.Write(r.file)
	return hex.EncodeToString(h.Sum(nil))
}

func TestSameSeedSameCity(t *testing.T) {
	one := digest(run(t, faults, 6, 7, message.Native))
	require.Equal(t, one, digest(run(t, faults, 6, 7, message.Native)))
	require.NotEqual(t, one, digest(run(t, faults, 6, 8, message.Native)))
}

// A device's own numbers do not depend on what the others do.
func TestDevicesAreIndependent(t *testing.T) {
	of := func(r *ran, device string) (payloads []string) {
		for _, m := range r.messages {
			if m.Device == device {
				payloads = append(payloads, string(m.Payload))
			}
		}
		return payloads
	}
	quiet, other := run(t, "", 3, 1, message.Native), run(t, "parking: {classes: {motorcycle: {turnover: 9}}}", 3, 1, message.Native)
	require.Equal(t, of(quiet, "tc-1"), of(other, "tc-1"))
	require.Equal(t, of(quiet, "spot-c01"), of(other, "spot-c01"))
	require.NotEqual(t, of(quiet, "spot-m01"), of(other, "spot-m01"))
}

// Every message is what it is expected to be: decoded by the format, the
// identity is the one told, and only broken ones are refused.
func TestPayloadsAreWhatTheyAreSaidToBe(t *testing.T) {
	for _, f := range []message.Format{message.Native, message.Frames} {
		r := run(t, faults, 8, 3, f)
		seen := map[message.Expect]int{}
		for _, m := range r.messages {
			seen[m.Expect]++
			d := native.Decode(m.Device, m.Payload)
			if f == message.Frames {
				var device string
				d, device = frames.Decode(m.Payload)
				require.Equal(t, m.Device, device)
			}
			switch {
			case m.Expect != message.Refused:
				require.Empty(t, d.Refused, "%s", m.Payload)
				require.Equal(t, *m.Reading, d.Readings[0])
				require.Equal(t, m.Seq, d.Readings[0].Seq)
			case m.Reason == city.ReasonSequenceConflict, m.Reason == city.ReasonTooOld, m.Reason == city.ReasonTooFarAhead:
				require.Empty(t, d.Refused, "%s", m.Payload)
			default:
				require.Equal(t, m.Reason, d.Refused[0].Reason, "%s", m.Payload)
			}
		}
		require.Len(t, seen, 3)
	}
}

// Without a fault what is delivered is what happened.
func TestTruthAddsUp(t *testing.T) {
	r := run(t, "devices: {health: 0s}", 20, 5, message.Native)

	there := map[truth.Place]int{}
	flows := map[truth.Bucket]truth.Counts{}
	var paid, stays int
	var amount city.Rupiah
	for _, l := range r.lines {
		switch l.What {
		case truth.Stay:
			stays++
			if l.Left == 0 {
				there[truth.Place{Site: l.Site, Class: l.Class}]++
			}
		case truth.Flow:
			b := truth.Bucket{Segment: l.Segment, From: (l.Until - 1) / 300_000 * 300_000}
			c := flows[b]
			c.SM, c.KR, c.KB, c.KTB = c.SM+uint64(l.SM), c.KR+uint64(l.KR), c.KB+uint64(l.KB), c.KTB+uint64(l.KTB)
			flows[b] = c
		case truth.Payment:
			if l.Reprint {
				continue
			}
			if l.Void {
				paid, amount = paid-1, amount-*l.Amount
				continue
			}
			paid, amount = paid+1, amount+*l.Amount
		}
	}
	require.Greater(t, stays, 200)
	occupied := r.expected.Occupied(r.end)
	for place, o := range occupied {
		if place.Site == "S-SHARE" || place.Site == "S-COUNT" {
			continue
		}
		require.Zero(t, o.Expired)
		require.Equal(t, there[place], o.Vehicles, place)
	}
	share := occupied[truth.Place{Site: "S-SHARE", Class: city.Car}]
	require.Equal(t, there[truth.Place{Site: "S-SHARE", Class: city.Car}]+there[truth.Place{Site: "S-SHARE", Class: city.Motorcycle}], share.Vehicles)
	require.InDelta(t, there[truth.Place{Site: "S-COUNT", Class: city.Car}], occupied[truth.Place{Site: "S-COUNT", Class: city.Car}].Vehicles, 2,
		"a count is up to a minute old")

	require.NotEmpty(t, flows)
	got := r.expected.Flows()
	for b, c := range flows {
		if b.From+300_000 < r.end { // the last period is under way at the end
			require.Equal(t, c, got[b], b)
		}
	}

	var receipts int64
	var sum city.Rupiah
	for _, m := range r.expected.Receipts() {
		receipts += m.Receipts
		sum += m.Amount
	}
	require.Positive(t, paid)
	require.Equal(t, int64(paid), receipts)
	require.Equal(t, amount, sum)
}

// Each receipt is what the tariff says of its stay, and the totals of a meter
// are the sums of its receipts.
func TestReceiptsFollowTheTariff(t *testing.T) {
	r := run(t, "payments: {void: 0.1, reprint: 0.1, subscription: 0.1, lost_ticket: 0}", 24, 11, message.Native)
	type totals struct{ count, amount int64 }
	sums := map[string]*totals{}
	last := map[string]string{}
	methods := map[city.Method]bool{}
	for _, m := range r.messages {
		if m.Kind != city.KindReceipt {
			continue
		}
		p := m.Reading.Receipt
		methods[p.Method] = true
		site := r.version.Site(r.version.Device(m.Device).Site)
		quote, err := r.version.Tariffs.Price(site.Tariff, tariff.Stay{
			Class: p.Class, Entered: p.EnteredAt.V, Left: p.LeftAt.V, Subscribed: p.Method == city.Subscription,
		}, r.version.Calendar())
		require.NoError(t, err)
		require.Equal(t, quote.Amount, p.Amount)
		require.Equal(t, p.Amount == 0, p.Method == city.Free || p.Method == city.Subscription)

		sum := sums[m.Device]
		if sum == nil {
			sum = &totals{}
			sums[m.Device] = sum
		}
		switch {
		case p.Void:
			sum.count, sum.amount = sum.count-1, sum.amount-int64(p.Amount)
		case p.Number > last[m.Device]:
			sum.count, sum.amount = sum.count+1, sum.amount+int64(p.Amount)
			last[m.Device] = p.Number
		}
		got := totals{p.TotalCount.V, p.TotalAmount.V}
		require.Equal(t, *sum, got, "%s", m.Payload)
	}
	require.Subset(t, methods, map[city.Method]bool{city.Cash: true, city.QRIS: true, city.Free: true, city.Subscription: true})
}

// A lost reading leaves a gap, a late one comes after later ones, and the
// fault lines tell of each.
func TestFaultsShowInTheStream(t *testing.T) {
	r := run(t, faults, 24, 2, message.Native)
	type run struct {
		device string
		boot   uint64
	}
	highest := map[run]uint64{}
	late, dead := 0, map[string]int64{}
	named := map[string]int{}
	for _, l := range r.lines {
		if l.What == truth.Fault {
			named[l.Fault]++
			if l.Fault == "dead" {
				dead[l.Device] = l.At
			}
		}
	}
	for _, m := range r.messages {
		key := run{m.Device, m.Boot}
		if m.HasBoot && m.Expect == message.Accepted && m.Seq < highest[key] {
			late++
		}
		highest[key] = max(highest[key], m.Seq)
		if at, ok := dead[m.Device]; ok {
			require.LessOrEqual(t, m.SendAt, at+r.scenario.Faults.LateBy.Milliseconds(), "the dead do not speak")
		}
	}
	for _, name := range []string{"lost", "doubled", "late", "corrupt", "conflict", "clock_wrong", "dead", "reboot"} {
		require.Positive(t, named[name], name)
	}
	require.Positive(t, late)
	require.Equal(t, named["doubled"], count(r, message.Duplicate)+dropped(r), "each second copy is sent, or lost in a reboot")
	require.Equal(t, named["corrupt"]+named["conflict"]+named["clock_wrong"], count(r, message.Refused))
}

func count(r *ran, e message.Expect) (n int) {
	for _, m := range r.messages {
		if m.Expect == e {
			n++
		}
	}
	return n
}

// dropped counts doubled readings whose second copy never went out.
func dropped(r *ran) (n int) {
	sent := map[string]bool{}
	for _, m := range r.messages {
		if m.Expect == message.Duplicate {
			sent[m.ID()+strconv.FormatInt(m.At, 10)] = true
		}
	}
	for _, l := range r.lines {
		if l.What == truth.Fault && l.Fault == "doubled" {
			m := message.Message{Device: l.Device, HasBoot: l.Boot != nil, Seq: *l.Seq, At: l.At}
			if l.Boot != nil {
				m.Boot = *l.Boot
			}
			if !sent[m.ID()+strconv.FormatInt(m.At, 10)] {
				n++
			}
		}
	}
	return n
}

// A device without a boot counter begins a new run with a lower number and a
// later time, and nothing of an old run comes after that.
func TestRunsWithoutBoot(t *testing.T) {
	r := run(t, "devices: {no_boot: 1}\nfaults: {reboot: 20, late: 0.1, doubled: 0.1}", 24, 4, message.Native)
	type state struct {
		seq uint64
		at  int64
	}
	newest := map[string]state{}
	runs := 0
	for _, m := range r.messages {
		require.False(t, m.HasBoot)
		s := newest[m.Device]
		switch {
		case m.At > s.at && m.Seq < s.seq:
			runs++
			fallthrough
		case m.At > s.at:
			newest[m.Device] = state{m.Seq, m.At}
		default:
			require.LessOrEqual(t, m.Seq, s.seq, "late, so of the same run")
		}
	}
	require.Positive(t, runs)
}

func TestClosedSegmentIsEmptyAndJamsAreSlow(t *testing.T) {
	r := run(t, "faults: {jam: 8}", 12, 6, message.Native)
	jams := 0
	for _, l := range r.lines {
		if l.What != truth.Flow {
			continue
		}
		at := time.UnixMilli(l.Until).In(r.version.Zone)
		if l.Segment == "r-2-t" && at.Hour() == 10 && at.Minute() > 1 {
			require.Zero(t, l.SM+l.KR+l.KB+l.KTB)
		}
		if l.Jam && l.Speed > 0 {
			jams++
			require.Less(t, l.Speed, 15.0)
		}
	}
	require.Positive(t, jams)
}

func TestNewRefuses(t *testing.T) {
	v, s := load(t, "")
	_, err := fleet.New(fleet.Options{Version: &inventory.Version{}, Scenario: s})
	require.ErrorContains(t, err, "no devices")
	_, err = fleet.New(fleet.Options{Version: v, Scenario: s, Start: 10, End: 10})
	require.ErrorContains(t, err, "not after the start")
}
