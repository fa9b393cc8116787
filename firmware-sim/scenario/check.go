package scenario

import (
	"errors"
	"fmt"
	"math"
	"path"
	"slices"
	"strings"
	"time"

	_ "time/tzdata" // the city's zone must be there on a bare machine too

	"github.com/simpang-id/simpang/internal/city"
)

// check tells every fault at once and fills in the zone.
func (s *Scenario) check() error {
	var faults []error
	say := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	share := func(name string, v float64) {
		if !(v >= 0 && v <= 1) {
			say("%s is %v: use 0 to 1", name, v)
		}
	}
	within := func(name string, v, least, most float64) {
		if !(v >= least && v <= most) {
			say("%s is %v: use %v to %v", name, v, least, most)
		}
	}
	var err error
	if s.Zone, err = time.LoadLocation(s.Timezone); err != nil {
		say("timezone %q is not known: use a name such as Asia/Jakarta", s.Timezone)
	}
	if s.Speed == nil {
		one := 1.0
		s.Speed = &one
	}
	within("speed", *s.Speed, 0, 1e6)
	within("duration (hours)", s.Duration.Hours(), 0, 24*3660)
	within("history (hours)", s.History.Hours(), 0, 24*3660)

	share("devices.no_boot", s.Devices.NoBoot)
	share("devices.deaf", s.Devices.Deaf)
	within("devices.battery_v", s.Devices.BatteryV, 0, 100)
	within("devices.battery_days", s.Devices.BatteryDays, 1, 36600)
	if s.Devices.Health != 0 {
		within("devices.health (hours)", s.Devices.Health.Hours(), 1.0/60, 24*366)
	}
	for _, pattern := range s.Devices.Serial {
		if _, err := path.Match(pattern, ""); err != nil {
			say("devices.serial: the pattern %q is wrong", pattern)
		}
	}
	s.checkParking(say, share, within)
	s.checkTraffic(say, within)

	f := s.Faults
	for name, v := range map[string]float64{
		"lost": f.Lost, "doubled": f.Doubled, "late": f.Late, "corrupt": f.Corrupt, "conflict": f.Conflict,
		"clock_wrong": f.ClockWrong, "dead": f.Dead,
	} {
		share("faults."+name, v)
	}
	if sum := f.Lost + f.Doubled + f.Late + f.Corrupt + f.Conflict + f.ClockWrong; sum > 1 {
		say("faults: the rates of a reading add up to %v: keep them under 1", sum)
	}
	within("faults.reboot", f.Reboot, 0, 1000)
	within("faults.jam", f.Jam, 0, 100)
	within("faults.clock_drift (seconds)", f.ClockDrift.Seconds(), 0, 3600)
	within("faults.late_by (minutes)", f.LateBy.Minutes(), 1, 24*60)
	s.checkMoney(say, share, within)
	for name, d := range s.Days {
		at := "days." + name
		if name != "ramadan" && name != "lebaran" {
			say("%s: days differ in ramadan and lebaran", at)
		}
		within(at+".parking", d.Parking, 0, 10)
		within(at+".traffic", d.Traffic, 0, 10)
		within(at+".earlier (hours)", d.Earlier.Hours(), 0, 6)
	}
	slices.SortFunc(faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(faults...)
}

type (
	sayFunc    func(format string, args ...any)
	shareFunc  func(name string, v float64)
	withinFunc func(name string, v, least, most float64)
)

func (s *Scenario) checkParking(say sayFunc, share shareFunc, within withinFunc) {
	share("parking.overfull", s.Parking.Overfull)
	within("parking.weekend", s.Parking.Weekend, 0, 10)
	within("parking.mood", s.Parking.Mood, 0, 1)
	for _, class := range city.Classes {
		c, at := s.Parking.Classes.Of(class), "parking.classes."+class.String()
		within(at+".turnover", c.Turnover, 0, 1000)
		within(at+".median (minutes)", c.Median.Minutes(), 1, 24*60)
		within(at+".sigma", c.Sigma, 0, 3)
		c.Arrivals.check(at+".arrivals", say)
	}
	for name, d := range s.Parking.Sites {
		at := "parking.sites." + name
		if d.Turnover != nil {
			within(at+".turnover", *d.Turnover, 0, 100)
		}
		if d.Median != nil {
			within(at+".median", *d.Median, 0.01, 100)
		}
		if d.Arrivals != nil {
			d.Arrivals.check(at+".arrivals", say)
		}
	}
	p := s.Payments
	for name, v := range map[string]float64{
		"unpaid": p.Unpaid, "void": p.Void, "reprint": p.Reprint, "subscription": p.Subscription,
		"lost_ticket": p.LostTicket, "plate": p.Plate,
	} {
		share("payments."+name, v)
	}
	for name, weight := range p.Methods {
		if _, ok := city.ParseMethod(name); !ok {
			say("payments.methods.%s is no method of payment", name)
		}
		within("payments.methods."+name, weight, 0, 1e6)
	}
}

func (s *Scenario) checkTraffic(say sayFunc, within withinFunc) {
	t := s.Traffic
	within("traffic.volume", t.Volume, 0, 10)
	within("traffic.spread", t.Spread, 0, 3)
	within("traffic.weekend", t.Weekend, 0, 10)
	within("traffic.mood", t.Mood, 0, 1)
	within("traffic.jam_speed_kmh", t.JamSpeed, 1, 100)
	within("traffic.jam_capacity", t.JamShare, 0.01, 1)
	within("traffic.jam_for (minutes)", t.JamFor.Minutes(), 1, 24*60)
	for i, c := range t.Classes.All() {
		at := "traffic.classes." + []string{"SM", "KR", "KB", "KTB"}[i]
		within(at+".share", c.Share, 0, 1000)
		within(at+".inner", c.Inner, 0, 1000)
		c.Hours.check(at+".hours", say)
	}
}

func (d Day) check(name string, say sayFunc) {
	if len(d) != 24 {
		say("%s has %d factors: give 24, one an hour", name, len(d))
		return
	}
	for hour, v := range d {
		if v < 0 || v > 1e6 || math.IsNaN(v) {
			say("%s: the factor of hour %d is %v: use 0 or more", name, hour, v)
		}
	}
	if d.Sum() == 0 {
		say("%s is all zero: leave the class out, or set its turnover or share to 0", name)
	}
}

// Sum adds the factors.
func (d Day) Sum() float64 {
	var sum float64
	for _, v := range d {
		sum += v
	}
	return sum
}
