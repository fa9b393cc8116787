// Package health follows the journal and knows which device speaks, which
// fell silent, and what of its readings is missing.
package health

import "github.com/simpang-id/simpang/internal/city"

// DeviceState is what is known of one device.
type DeviceState struct {
	ID          string
	LastSeen    int64      // receive time, Unix ms, 0 never
	LastAt      int64      // the device's clock of its newest reading, Unix ms
	SkewMs      city.Int   // receive time - device time of the last reading
	ClockMs     city.Int   // our clock less the device's, ms, as estimated out of many readings
	Boot        city.Int   //
	Seq         city.Int   //
	Battery     city.Milli // V
	Temperature city.Milli // degrees Celsius
	RSSI        city.Milli // dBm
	SNR         city.Milli // dB
	BatteryPct  city.Milli // per cent, where it tells no voltage
	UptimeS     city.Int
	Firmware    string
	Errors      []string
	Readings    uint64 // accepted
	Duplicates  uint64
	Quarantined uint64
	Silent      bool     // no reading for 3 intervals
	LastGap     city.Int // time of the reading behind the newest numbers that never came, Unix ms; unknown: none that is remembered
}

// Gap is a run of sequence numbers that never came.
type Gap struct {
	HasBoot bool
	Boot    uint64
	FromSeq uint64
	ToSeq   uint64
}

// Run names a run of a device.
type Run struct {
	HasBoot bool
	No      uint64 // the boot; where the device does not count them, a number of ours
}

// Completeness is a device's day (contract, section 4).
type Completeness struct {
	Device      string
	Date        string // YYYY-MM-DD in the city's zone, by the reading's At
	Expected    int64
	Received    int64
	Duplicate   int64
	Late        int64 // received over 2 x interval after at
	Quarantined int64
	Missing     int64
	OlderRuns   int64 // runs whose gaps are not told: there were too many
	Gaps        []Gap
}

// Day is a device's day with what it was concluded from.
type Day struct {
	Completeness

	Runs  []Run  // of which something came that day, in no order
	Pos   uint64 // of the journal, as of which it is
	Clock int64  // Unix ms: the receive time there, which tells what is forgotten by now
}
