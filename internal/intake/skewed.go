package intake

import (
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
)

// skewed tells whether a reading's time is of a clock that is off by more than
// the rules allow: as its device's clock is estimated, or because the reading
// itself lies ahead of us. The reading stays as it was sent. A LoRaWAN device has
// no clock: its times are the network's.
func skewed(r *city.Reading, d *inventory.Device, rules *inventory.DeviceSkewRules, recv int64, estimate city.Int) bool {
	if d.EUI != "" || r.Frame {
		return false
	}
	ahead, behind := int64(rules.AheadS)*1000, int64(rules.BehindS)*1000
	return r.At-recv > ahead || estimate.OK && (estimate.V < -ahead || estimate.V > behind)
}
