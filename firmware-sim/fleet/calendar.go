package fleet

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"time"

	"github.com/simpang-id/simpang/firmware-sim/scenario"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/tariff"
)

// calendar tells hours, weekends and seasons of the city.
type calendar struct {
	zone    *time.Location
	tariffs tariff.Calendar
	seasons map[string]season // by date, of days that are as no other
	usual   season
}

// season is how the days of a season differ.
type season struct {
	scenario.Season

	earlier float64 // hours
}

// hour is the hour of a usual day that an hour of the season is like: after noon
// all of it is earlier.
func (s *season) hour(hour float64) float64 {
	const noon = 12
	if s.earlier == 0 || hour < noon {
		return hour
	}
	return math.Min(hour+s.earlier, 24)
}

func newCalendar(v *inventory.Version, s *scenario.Scenario) calendar {
	c := calendar{zone: v.Zone, tariffs: v.Calendar(), seasons: map[string]season{}}
	of := func(x scenario.Season) season { return season{x, x.Earlier.Hours()} }
	c.usual = of(scenario.Season{Parking: 1, Traffic: 1})
	for _, kind := range []string{"ramadan", "lebaran"} {
		x, ok := s.Days[kind]
		if !ok {
			continue
		}
		for i := range v.Holidays {
			h := &v.Holidays[i]
			day, err := time.Parse(time.DateOnly, h.Date)
			if h.Kind != kind || err != nil {
				continue
			}
			until := max(h.Until, h.Date)
			for date := h.Date; date <= until; date = day.Format(time.DateOnly) {
				c.seasons[date] = of(x) // Lebaran before Ramadan
				day = day.AddDate(0, 0, 1)
			}
		}
	}
	return c
}

// season returns what is different on the day of a moment.
func (c *calendar) season(at int64) *season {
	if len(c.seasons) > 0 {
		if s, ok := c.seasons[time.UnixMilli(at).In(c.zone).Format(time.DateOnly)]; ok {
			return &s
		}
	}
	return &c.usual
}

// moodMost is the most that a mood makes of something.
func moodMost(sigma float64) float64 { return math.Exp(2 * sigma) }

// mood is how much more or less than usual happens somewhere on a day: half of
// it is the whole city's.
func (f *Fleet) mood(what, id string, sigma float64, at int64) float64 {
	if sigma == 0 {
		return 1
	}
	day := time.UnixMilli(at).In(f.zone).YearDay()
	draw := func(text string) float64 {
		h := fnv.New64a()
		_, _ = h.Write([]byte("mood\x00" + what + "\x00" + text))
		return rand.New(rand.NewPCG(f.o.Seed, h.Sum64()^uint64(day)*0x9e3779b97f4a7c15)).NormFloat64()
	}
	return min(math.Exp(sigma*(draw("")+draw(id))/math.Sqrt2), moodMost(sigma))
}

// hour returns the local time of day in hours, and whether people rest.
func (c *calendar) hour(at int64) (hour float64, rest bool) {
	t := time.UnixMilli(at).In(c.zone)
	hour = float64(t.Hour()) + float64(t.Minute())/60
	day := t.Weekday()
	return hour, day == time.Saturday || day == time.Sunday || c.tariffs.Holiday(t.Format(time.DateOnly))
}

// factor interpolates 24 hourly values, each of which holds at half past.
func factor(day []float64, hour float64) float64 {
	if len(day) != 24 {
		return 0
	}
	x := hour - 0.5 + 24
	i := int(x)
	part := x - float64(i)
	return day[i%24]*(1-part) + day[(i+1)%24]*part
}
