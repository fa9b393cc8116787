package fleet_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/firmware-sim/message"
	"github.com/simpang-id/simpang/firmware-sim/truth"
	"github.com/simpang-id/simpang/internal/city"
)

// sums of payments by site and day, of leaks by name, site and day.
type sums struct {
	paid map[[2]string]city.Rupiah
	lost map[[3]string]city.Rupiah
}

func (r *ran) sums() sums {
	s := sums{paid: map[[2]string]city.Rupiah{}, lost: map[[3]string]city.Rupiah{}}
	for _, l := range r.lines {
		day := time.UnixMilli(l.At).In(r.version.Zone).Format(time.DateOnly)
		switch {
		case l.What == truth.Leak:
			s.lost[[3]string{l.Fault, l.Site, day}] += *l.Amount
		case l.What == truth.Payment && l.Void:
			s.paid[[2]string{l.Site, day}] -= *l.Amount
		case l.What == truth.Payment && !l.Reprint:
			s.paid[[2]string{l.Site, day}] += *l.Amount
		}
	}
	return s
}

// quiet leaves out what a test of money does not look at.
const quiet = "traffic: {volume: 0}\ndevices: {health: 0s}\n"

const honest = "payments: {void: 0.02, reprint: 0.02}\n"

func TestPlantedLossesAreToldToTheRupiah(t *testing.T) {
	without := run(t, honest+quiet, 4*24, 7, message.Native)
	var skimmed, till string
	for _, l := range without.lines {
		if l.What == truth.Payment && l.Site == "S-SPOT" {
			skimmed = l.Site
		} else if l.What == truth.Payment {
			till = l.Device
		}
	}
	require.NotEmpty(t, skimmed)
	require.NotEmpty(t, till)
	with := run(t, honest+quiet+`
planted:
  - {kind: skim, site: S-SPOT, share: 0.3, from: 2026-03-03T00:00:00+07:00, until: 2026-03-05T00:00:00+07:00}
  - {kind: night_voids, device: `+till+`, share: 0.5, from: 2026-03-02T00:00:00+07:00, until: 2026-03-07T00:00:00+07:00}
`, 4*24, 7, message.Native)
	before, after := without.sums(), with.sums()
	require.NotEmpty(t, after.lost)
	kinds := map[string]bool{}
	for k, lost := range after.lost {
		kinds[k[0]] = true
		require.Positive(t, lost)
		if k[0] == "skim" {
			require.Equal(t, "S-SPOT", k[1])
			require.Contains(t, []string{"2026-03-03", "2026-03-04"}, k[2])
		}
		after.paid[[2]string{k[1], k[2]}] += lost
	}
	require.Equal(t, map[string]bool{"skim": true, "night_voids": true}, kinds)
	// A skimmed receipt is not voided either: its void is in the honest city's sums.
	for k, paid := range before.paid {
		if k[0] != "S-SPOT" {
			require.Equal(t, paid, after.paid[k], "%v", k)
		} else {
			require.InDelta(t, float64(paid), float64(after.paid[k]), 12_000, "%v", k)
		}
	}
}

func TestABlindSiteSaysNothing(t *testing.T) {
	r := run(t, `
planted: [{kind: blind, site: S-SPOT, from: 2026-03-02T12:00:00+07:00, until: 2026-03-02T18:00:00+07:00}]
`, 24, 7, message.Native)
	from, until := r.start+6*3_600_000, r.start+12*3_600_000
	seen := 0
	for i := range r.messages {
		m := &r.messages[i]
		if d := r.version.Device(m.Device); d.Site == "S-SPOT" && m.Kind == city.KindSpot {
			require.False(t, m.SendAt >= from && m.SendAt < until, "%s at %d", m.Device, m.SendAt)
			seen++
		}
	}
	require.Positive(t, seen)
}

func TestAMeterIsReset(t *testing.T) {
	first := run(t, "", 2, 7, message.Native)
	meter := ""
	for i := range first.messages {
		if first.messages[i].Kind == city.KindReceipt {
			meter = first.messages[i].Device
		}
	}
	r := run(t, "planted: [{kind: meter_reset, device: "+meter+", from: 2026-03-02T12:00:00+07:00}]", 24, 7, message.Native)
	var last, lowest int64 = 0, 1 << 60
	for i := range r.messages {
		m := &r.messages[i]
		if m.Device != meter || m.Kind != city.KindReceipt {
			continue
		}
		if m.SendAt < r.start+6*3_600_000 {
			last = m.Reading.Receipt.TotalAmount.V
		} else {
			lowest = min(lowest, m.Reading.Receipt.TotalAmount.V)
		}
	}
	require.Greater(t, last, lowest)
}

// What is deposited and settled is the levy of what was printed, to the rupiah,
// unless it was planted otherwise.
func TestDepositsCoverWhatIsDue(t *testing.T) {
	const bank = honest + "bank: {on: true, fee: 0.01, pay_day: 3}\n" + quiet
	r := runFrom(t, 28, bank, 8*24, 7, message.Native)
	gross, fee := r.deposits(t)
	day := "2026-03-30"
	paid := r.sums().paid
	for _, s := range r.version.Sites {
		a := r.version.AccountFor(s.Levy, day)
		if s.Levy == "pbjt" || a == nil {
			continue
		}
		due := paid[[2]string{s.ID, day}]
		if a.SharePPM >= 0 {
			due = city.Rupiah((int64(due)*a.SharePPM + 500_000) / 1_000_000)
		}
		require.Equal(t, due, gross[[2]string{s.ID, day}], s.ID)
	}
	require.Positive(t, fee)
	months := map[string]city.Rupiah{}
	for k, amount := range paid {
		if k[1] < "2026-04" {
			months[k[0]] += (amount + 5) / 10 // the levy of a day, half up
		}
	}
	taxed := 0
	for _, s := range r.version.Sites {
		if s.Levy == "pbjt" && months[s.ID] > 0 {
			require.Equal(t, months[s.ID], gross[[2]string{s.ID, "2026-03-01"}], s.ID)
			taxed++
		}
	}
	require.Positive(t, taxed)

	short := runFrom(t, 28, bank+`
planted: [{kind: deposit_short, operator: dishub, share: 0.5, from: 2026-03-30T00:00:00+07:00, until: 2026-03-31T00:00:00+07:00}]
`, 8*24, 7, message.Native)
	less, _ := short.deposits(t)
	lost := short.sums().lost
	kept := lost[[3]string{"deposit_short", "S-SPOT", day}]
	require.Positive(t, kept)
	require.Equal(t, gross[[2]string{"S-SPOT", day}], less[[2]string{"S-SPOT", day}]+kept)
}

// deposits sums what was deposited by site and first day.
func (r *ran) deposits(t *testing.T) (gross map[[2]string]city.Rupiah, fees city.Rupiah) {
	t.Helper()
	gross = map[[2]string]city.Rupiah{}
	references := map[string]bool{}
	for _, l := range r.lines {
		if l.What != truth.Deposit {
			continue
		}
		var d struct {
			Reference, Kind, Site string
			PeriodFrom            string `json:"period_from"`
			CreditedOn            string `json:"credited_on"`
			Gross, Fee, Net       city.Rupiah
		}
		require.NoError(t, json.Unmarshal(l.Body, &d))
		require.Equal(t, d.Gross-d.Fee, d.Net)
		require.Greater(t, d.CreditedOn, d.PeriodFrom)
		require.False(t, references[d.Reference], "each has a reference of its own")
		references[d.Reference] = true
		gross[[2]string{d.Site, d.PeriodFrom}] += d.Gross
		fees += d.Fee
	}
	require.NotEmpty(t, gross)
	return gross, fees
}

// TestAMeterThatPrintsLessOrNothing: what was paid is what is printed and what
// is told as lost, also where a meter says nothing for a while.
func TestAMeterThatPrintsLessOrNothing(t *testing.T) {
	without := run(t, honest+quiet, 4*24, 7, message.Native)
	var meter string
	for _, l := range without.lines {
		if l.What == truth.Payment {
			meter = l.Device
			break
		}
	}
	const from, until = 1772470800000, 1772557200000 // 2026-03-03
	with := run(t, honest+quiet+`
planted:
  - {kind: meter_silent, device: `+meter+`, from: 2026-03-03T00:00:00+07:00, until: 2026-03-04T00:00:00+07:00}
  - {kind: off_tariff, device: `+meter+`, share: 0.5, from: 2026-03-04T00:00:00+07:00, until: 2026-03-07T00:00:00+07:00}
`, 4*24, 7, message.Native)
	lost := map[string]city.Rupiah{}
	for _, l := range with.lines {
		if l.What == truth.Leak {
			lost[l.Fault] += *l.Amount
		}
		if l.Device == meter && (l.What == truth.Payment || l.What == truth.Delivered) {
			require.False(t, l.At >= from && l.At < until, "it says nothing: %+v", l)
		}
	}
	require.Positive(t, lost["meter_silent"])
	require.Positive(t, lost["off_tariff"])
	require.Zero(t, lost["off_tariff"]%1000)
	var before, after city.Rupiah
	for _, paid := range without.sums().paid {
		before += paid
	}
	for _, paid := range with.sums().paid {
		after += paid
	}
	require.InDelta(t, float64(before), float64(after+lost["meter_silent"]+lost["off_tariff"]), 20_000, "but for voids that the silence swallowed")
}
