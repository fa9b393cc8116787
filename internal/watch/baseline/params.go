package baseline

// Kind is a kind of day.
type Kind uint8

// The kinds of day. A day of several kinds is of the last that fits.
const (
	Working Kind = iota
	Weekend
	Ramadan // a working day of it
	Holiday
	CutiBersama
	Lebaran        // a day of rest of it
	LebaranWorking // a day of it on which offices work
	Kinds          // how many there are
)

var kindNames = [...]string{"working", "weekend", "ramadan", "holiday", "cuti_bersama", "lebaran", "lebaran_working"}

// String returns the kind's name.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// nextTo is the kind from which one that was hardly seen borrows; a kind that
// is next to itself borrows from the overall level.
var nextTo = [Kinds]Kind{Working: Working, Weekend: Working, Ramadan: Working, Holiday: Weekend, CutiBersama: Holiday, Lebaran: Holiday, LebaranWorking: Working}

// Params are the same for every series. Defaults has the values that are meant
// for all; docs/detectors.md tells on what they were tried.
type Params struct {
	LearnMs    int64   // no anomaly before a series was watched for so long
	LearnCount int     // nor before so many readings
	MemoryDays float64 // days of an hour and kind that count; older ones are forgotten
	Sparse     float64 // days on which a slot was seen at which it is believed by half
	SlowMs     int64   // of the slow statistic's mean
	Chance     float64 // a reading of a normal series exceeds its bound with this chance
	HoldMs     int64   // an anomaly ends after so long under half of its bounds
	SettleMs   int64   // an anomaly that lasts longer is the new normal
}

// Defaults returns the parameters for all series.
func Defaults() Params {
	return Params{
		LearnMs:    2 * dayMs, // a day to learn, one to see how much days differ
		LearnCount: 100,
		MemoryDays: 28,
		Sparse:     1.5,
		SlowMs:     hourMs,
		Chance:     1e-3,
		HoldMs:     hourMs,
		SettleMs:   dayMs,
	}
}

const (
	minuteMs = 60 * 1000
	hourMs   = 60 * minuteMs
	dayMs    = 24 * hourMs
)
