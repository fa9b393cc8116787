package fleet

import (
	"time"

	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/tariff"
)

// calendar tells hours and weekends of the city.
type calendar struct {
	zone    *time.Location
	tariffs tariff.Calendar
}

func newCalendar(v *inventory.Version) calendar {
	return calendar{zone: v.Zone, tariffs: v.Calendar()}
}

// hour returns the local time of day in hours, and whether people rest.
func (c calendar) hour(at int64) (hour float64, rest bool) {
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
