package wire

import "math"

// The limits that every format shares: what no device can have measured, or no
// paper shows, is refused as impossible_value. They are wide: they catch broken
// devices, not rare events. Measured numbers are in thousandths of their unit.
const (
	MaxVehicles     = 1_000_000           // a count, a gate, a lane
	MaxPeriodS      = 3600                // contract, section 2
	MaxLane         = math.MaxUint16      // a lane's number
	MaxDwellS       = 10 * 366 * 86400    // ten years
	MaxUptimeS      = 100 * 366 * 86400   // a century
	MaxBattery      = 100_000             // V
	MinTemperature  = -90_000             // degrees Celsius
	MaxTemperature  = 150_000             //
	MinRSSI         = -250_000            // dBm
	MaxRSSI         = 50_000              //
	MaxSpeed        = 400_000             // km/h
	MaxOccupancy    = 100_000             // per cent
	MaxAmount       = 1_000_000_000_000   // rupiah, one receipt
	MaxTotalCount   = 1_000_000_000_000   // receipts of one meter
	MaxTotalAmount  = 100_000_000_000_000 // rupiah of one meter: ten thousand such sums fit an int64
	MaxReceiptBytes = 128
	MaxPlateBytes   = 64
	MaxWordBytes    = 256 // firmware, one error
	MaxErrors       = 64
)
