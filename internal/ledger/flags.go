package ledger

// Flags say what is remarkable about a reading. The bits are in the canonical
// bytes of entries: append only.
type Flags uint32

// The flags. Those of the meter's totals are never part of an entry: they are
// computed anew when a missing reading comes late.
const (
	FlagLate          Flags = 1 << iota // came later than its source's max_age
	FlagRetried                         // was taken up from quarantine
	FlagReprint                         // same number and amount within 30 days: does not count
	FlagNumberReused                    // same number, other amount: counts
	FlagVoidUnknown                     // void of a number that is not known: does not count
	FlagVoidAgain                       // void of a receipt that is void already: does not count
	FlagVoidAmount                      // void with another amount than the receipt's: does not count
	FlagNoSite                          // the device has no site at that time
	FlagNoAccount                       // no account holds for the levy at that time
	FlagNoTariff                        // no tariff of the site holds at that time
	FlagCorrected                       // a reading that came later changed whether, or where, it counts
	FlagTotalGap                        // the meter counted more than we have
	FlagTotalRollback                   // the meter's totals fell
	FlagTotalReset                      // the meter's totals began anew
	FlagAfterClose                      // its month was closed: filed with the next open one
)

const totalFlags = FlagTotalGap | FlagTotalRollback | FlagTotalReset

var flagNames = [...]string{
	"late", "retried", "reprint", "number_reused", "void_unknown", "void_again", "void_amount",
	"no_site", "no_account", "no_tariff", "corrected", "total_gap", "total_rollback", "total_reset",
	"after_close",
}

// Names returns the words of the set flags in the order of the bits; never nil.
func (f Flags) Names() []string {
	names := []string{}
	for i, name := range flagNames {
		if f&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}
