package ledger

import "github.com/simpang-id/simpang/internal/city"

// Receipt is one money reading as the books hold it.
type Receipt struct {
	ID        string // device:boot:seq; device::seq where the device counts no boots
	Pos       uint64 // in the journal
	Entry     uint64 // number of the entry of the books by which it counts, or is kept
	Device    string
	Site      string
	Kecamatan string
	Operator  string
	Account   string // kode rekening, "" where none holds
	Tariff    string // tariff.Version.ID, "" where none holds
	Number    string // as on paper
	Amount    city.Rupiah
	Method    city.Method
	Class     city.Class
	At        int64 // Unix ms, the meter's clock
	Recv      int64 // Unix ms, our clock
	EnteredAt city.Int
	LeftAt    city.Int
	Void      bool
	Counted   bool     // false: a reprint, or the void of an unknown number
	Flags     []string // late, reprint, number_reused, void_unknown, total_gap, ...
}

// ReceiptQuery selects receipts by the day span of their At.
type ReceiptQuery struct {
	Site     string
	Operator string // "" all; set for the role operator
	From, To int64  // Unix ms, from inclusive, to exclusive
	After    string // cursor of the previous page, "" the first
	Limit    int
}

// DailyRow is one day of one group, sorted by Date, Key.
type DailyRow struct {
	Date     string // YYYY-MM-DD in the city's zone
	Key      string // the site, operator, kecamatan, account, class or method
	Name     string // for people, "" where there is none
	Receipts int64  // counted receipts less voids
	Voids    int64
	Recorded city.Rupiah
	Due      city.Rupiah

	DueUnknown bool // a part has no rate: Due is without it
}

// DailyQuery selects days and the group.
type DailyQuery struct {
	FromDate string   // inclusive
	ToDate   string   // exclusive
	Group    string   // site, operator, kecamatan, account, class, method
	Operator string   // "" all
	Accounts []string // nil all; set for the role dishub: the accounts it collects
	Filed    bool     // as filed: what came after its month's close stands in the next open month
}

// AccountTotal is one account of one year, city totals only.
type AccountTotal struct {
	Account      string
	Name         string
	Target       city.Int // rupiah; unset where no target is set
	Recorded     city.Int // unset with Suppressed
	Due          city.Int // unset too where the account has no rate
	InSettlement city.Int
	Realized     city.Int
	Suppressed   bool // a figure is of fewer than three taxpayers of PBJT, and unset
	Withheld     bool // credits of one or two taxpayers came since, and are not told yet
}
