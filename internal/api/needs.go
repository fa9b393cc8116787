package api

import (
	"context"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/health"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/ledger"
	"github.com/simpang-id/simpang/internal/occupancy"
	"github.com/simpang-id/simpang/internal/token"
	"github.com/simpang-id/simpang/internal/traffic"
	"github.com/simpang-id/simpang/internal/watch"
)

// All of these may be called from any goroutine. Errors of a known kind
// (city.Error) become their HTTP status; all others are logged and shown as
// 500 without their text. Times are Unix ms, spans from inclusive, to
// exclusive.

// Parking tells how full the sites are and were.
type Parking interface {
	// Sites returns the present of every site. The slice is the caller's.
	Sites() []occupancy.SiteState
	// Site returns the present of one site with its spots, false where there
	// is none.
	Site(id string) (occupancy.SiteState, []occupancy.SpotState, bool)
	// History returns a point for every whole step of [from, to), also where
	// nothing was heard. from lies on a multiple of step in the city's zone.
	History(ctx context.Context, site string, class city.Class, from, to int64, step time.Duration) ([]occupancy.HistoryPoint, error)
	// Changed is signalled when a state changed; it has room for one signal.
	Changed() <-chan struct{}
}

// Traffic tells how the segments flow and flowed.
type Traffic interface {
	Segments() []traffic.SegmentState
	Congestion() traffic.Congestion
	History(ctx context.Context, segment string, from, to int64, step time.Duration) ([]traffic.HistoryPoint, error)
	Changed() <-chan struct{}
}

// Books tells what was recorded and what is due.
type Books interface {
	// Receipts returns a page and the cursor of the next, "" at the end.
	Receipts(ctx context.Context, q ledger.ReceiptQuery) ([]ledger.Receipt, string, error)
	Daily(ctx context.Context, q ledger.DailyQuery) ([]ledger.DailyRow, error)
	Summary(ctx context.Context, year int, filed bool) ([]ledger.AccountTotal, error)
	// Lines returns a page of what staff wrote, and the cursor of the next.
	Lines(ctx context.Context, q ledger.LineQuery) ([]ledger.Line, string, error)
	// Hops compares what each hand took with what it gave on, of money collected
	// in [from, to), YYYY-MM-DD.
	Hops(ctx context.Context, from, to string) ([]ledger.Hop, error)
	// Accesses returns a page of the reads of money, and the cursor of the next.
	Accesses(ctx context.Context, q ledger.AccessQuery) ([]ledger.AccessLine, string, error)
}

// Proofs proves that entries are in the books, and tells what was signed.
type Proofs interface {
	// Checkpoint returns the newest signed checkpoint, nil before there is one.
	Checkpoint(ctx context.Context) (*ledger.Checkpoint, error)
	// Prove proves entries by the newest checkpoint. ErrUnsigned: it does not
	// reach so far.
	Prove(ctx context.Context, s ledger.Selection) (*ledger.Proof, error)
	// Grown proves that the log of the first to entries begins with that of the
	// first from; to 0 is the newest checkpoint's.
	Grown(ctx context.Context, from, to uint64) (*ledger.Growth, error)
}

// Devices tells how the devices fare.
type Devices interface {
	Devices() []health.DeviceState
	Device(id string) (health.DeviceState, bool)
	// Battery foretells when a device's battery will be at a limit in mV, as of
	// now.
	Battery(id string, limitMV, now int64) health.Forecast
	// Completeness tells of one day, YYYY-MM-DD in the city's zone.
	Completeness(ctx context.Context, device, date string) (health.Completeness, error)
}

// Anomalies tells what is or was wrong.
type Anomalies interface {
	// Incidents returns a page and the cursor of the next, "" at the end.
	Incidents(ctx context.Context, q watch.Query) ([]watch.Incident, string, error)
	// Incident returns one. KindNotFound: there is none.
	Incident(ctx context.Context, id string) (watch.Incident, error)
	// Acknowledge notes who knows of one, durably, and returns it. Twice is
	// once. by is the id of the token, at Unix ms.
	Acknowledge(ctx context.Context, id, by, note string, at int64) (watch.Incident, error)
}

// Readings returns what devices sent.
type Readings interface {
	// Readings returns at most limit entries of a device whose At lies in the
	// span, of these kinds, ordered by At and position, after the cursor "" or
	// the one that the page before returned.
	Readings(ctx context.Context, device string, from, to int64, kinds []city.Kind, after string, limit int) (ReadingsPage, error)
}

// ReadingsPage is a page of what a device sent.
type ReadingsPage struct {
	Entries []journal.Entry // shared: nobody changes them
	Next    string          // cursor of the next page, "" at the end
	Missing string          // why some of the span lack, for people; "": none do
}

// Quarantine lists what was set aside.
type Quarantine interface {
	// List returns items after an id, the oldest first, without what was sent.
	List(ctx context.Context, f journal.Filter, afterID int64, limit int) ([]journal.Item, error)
}

// Gate takes what staff decide; each is appended to the journal before it
// returns. by is the id of the token.
type Gate interface {
	// Retry offers a set-aside message again with its first receive time.
	// Twice is once. KindNotFound: no such message.
	Retry(ctx context.Context, id int64, by string) (RetryResult, error)
	// Close sets a closure and returns it with its id. The same content again
	// is the same closure; created tells which.
	Close(ctx context.Context, c journal.Closure) (closure journal.Closure, created bool, err error)
	// Reopen takes a closure of the API back. KindNotFound: no such closure.
	Reopen(ctx context.Context, id, by string) error
	// Closures returns the closures that were set over the API and not taken
	// back.
	Closures() []journal.Closure
	// Reload reads the inventory again, all or nothing. An error of
	// KindUnprocessed lists every fault in Fields; the old inventory stays.
	Reload(ctx context.Context, by string) (ReloadResult, error)
	// Book appends an act and returns what the books say of it. KindUnavailable:
	// they could not say it in time; sending the same again is safe.
	Book(ctx context.Context, act journal.Entry) (ledger.Verdict, error)
	// Access returns once a read of money is written down. KindUnavailable: it
	// is not, and the read may not happen.
	Access(ctx context.Context, read journal.Access) error
	// AcceptClock accepts the present of the machine's clock.
	AcceptClock(ctx context.Context, by string) error
}

// RetryResult is what became of a message that was offered again.
type RetryResult struct {
	Verdict string // accepted, duplicate, refused
	Reason  city.Reason
	Detail  string
}

// ReloadResult is what a reload did.
type ReloadResult struct {
	Changed bool     // false: the files are the same
	Hash    string   // of the inventory that holds now
	Restart []string // settings that changed and need a restart
}

// Inventory returns the newest accepted version; nil before there is one.
type Inventory interface {
	Current() *inventory.Version
}

// Tokens finds the token of a secret.
type Tokens interface {
	Lookup(ctx context.Context, secret string, now time.Time) (token.Token, error)
}

// Readiness tells whether the gateway can commit and answer.
type Readiness interface {
	Ready(ctx context.Context) Readyz
}

var (
	_ Tokens     = (*token.Store)(nil)
	_ Quarantine = (*journal.Quarantine)(nil)
)
