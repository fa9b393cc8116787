package city

import "fmt"

// Kind is the kind of a reading (contract, section 2).
type Kind uint8

// The kinds of reading. Their numbers are written in the journal: append only.
const (
	KindNone    Kind = 0
	KindSpot    Kind = 1
	KindGate    Kind = 2
	KindCount   Kind = 3
	KindTraffic Kind = 4
	KindReceipt Kind = 5
	KindHealth  Kind = 6
)

// Kinds lists every kind of reading.
var Kinds = []Kind{KindSpot, KindGate, KindCount, KindTraffic, KindReceipt, KindHealth}

var kindNames = [...]string{"", "spot", "gate", "count", "traffic", "receipt", "health"}

// ParseKind returns the kind of that name.
func ParseKind(name string) (Kind, bool) {
	for _, kind := range Kinds {
		if kindNames[kind] == name {
			return kind, true
		}
	}
	return KindNone, false
}

// String returns the word of the contract.
func (k Kind) String() string {
	if int(k) >= len(kindNames) {
		return fmt.Sprintf("kind(%d)", uint8(k))
	}
	return kindNames[k]
}

// MarshalText makes the kind a word in JSON and CSV.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// Reading is one measurement of one device, as the device sent it. A reading
// is never changed after it was decoded; exactly one of the bodies is set, the
// one of its kind.
type Reading struct {
	Device  string // id in the inventory
	Kind    Kind
	HasBoot bool   // false: the device does not count its boots
	Boot    uint64 // +1 a boot
	Seq     uint64 // +1 a reading within a boot
	Frame   bool   `json:",omitzero"` // Seq is a network's frame counter: within a minute it is one frame's, whatever its time; not kept
	At      int64  // the device's clock, Unix ms; for traffic the end of the period

	Spot    *Spot
	Gate    *Gate
	Count   *Count
	Traffic *Traffic
	Receipt *Receipt
	Health  *Health
}

// Spot is the state of one parking place.
type Spot struct {
	Occupied    bool
	DwellS      Int   // how long the previous state lasted, s
	Battery     Milli // V
	Temperature Milli // degrees Celsius
	RSSI        Milli // dBm
	SNR         Milli `json:",omitzero"` // dB, of a LoRaWAN frame
}

// Gate is vehicles that passed a gate.
type Gate struct {
	Out   bool // false: in
	Class Class
	Count uint32 // vehicles; 1 where the message names none
	Total Int    `json:",omitzero"` // of a counter that never goes back: as sent; Count is what it grew by
	End   int64  `json:"-"`         // of the message alone: where the counter begins at 0 again; 0: never, as far as is known
}

// Count is an absolute count of the vehicles of one class at a site.
type Count struct {
	Class    Class
	Occupied uint32
}

// Traffic is what passed each lane in the PeriodS seconds that ended at the
// reading's At.
type Traffic struct {
	PeriodS uint32 // 1..3600
	Lanes   []Lane
}

// Lane is one lane of a traffic reading. The classes are those of PKJI 2023:
// SM motorcycles, KR light vehicles, KB heavy vehicles, KTB unmotorised.
type Lane struct {
	Lane      uint16 // 1..
	Backward  bool   // feeds the opposite segment
	HasCounts bool   // false: the lane sent no counts at all, which is not zero
	SM        uint32
	KR        uint32
	KB        uint32
	KTB       uint32
	Unknown   uint32 // counts as KR
	Total     Int    `json:",omitzero"` // of a counter that never goes back: as sent; Unknown is what it grew by
	End       int64  `json:"-"`         // as of a Gate
	Speed     Milli  // km/h
	Occupancy Milli  // per cent of the time that the detector is covered
}

// Receipt is one paper or electronic receipt of a meter or till.
type Receipt struct {
	Number      string // as on paper, unique a device
	Amount      Rupiah // of a void: the original amount
	Method      Method
	Class       Class // ClassNone where it names none
	EnteredAt   Int   // Unix ms
	LeftAt      Int   // Unix ms
	Void        bool
	Plate       string // as sent; intake makes PlateHash of it and empties it before anything is kept
	PlateHash   []byte // keyed hash under the month's key
	TotalCount  Int    // the meter's running count of receipts, a void lowers it
	TotalAmount Int    // the meter's running total in rupiah, a void lowers it
}

// Health is what a device says of itself.
type Health struct {
	Battery    Milli // V
	UptimeS    Int   // s
	Firmware   string
	Errors     []string
	RSSI       Milli `json:",omitzero"` // dBm, of the gateway that heard it best
	SNR        Milli `json:",omitzero"` // dB, likewise
	BatteryPct Milli `json:",omitzero"` // per cent, where it tells no voltage
}

// BesideBoot is the boot of readings that have no sequence numbers of their
// own: what a network or a device says beside its frames, and SenML without
// any. Their Seq is made of their time. No device counts as far.
const BesideBoot uint64 = 1 << 52

// Beside tells whether sequence numbers say nothing of what is missing.
func (r *Reading) Beside() bool { return r.HasBoot && r.Boot == BesideBoot }
