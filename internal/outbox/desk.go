package outbox

import (
	"context"

	"github.com/simpang-id/simpang/internal/open311"
)

// Delivery is a complaint on its way.
type Delivery struct {
	ID     string         // ours: SPG-2026-000123
	Filing open311.Filing // what may leave; the worker adds our id to it
	Began  int64          // of the last POST, Unix ms; 0: none was begun, or it was certainly not taken
	Tries  int            // POSTs that were certainly not taken
	Looks  int            // complete look-ups since Began that did not find it
	Token  string         // they answered with a token and no id
	Unsure bool           // a person was told: it is only looked for, now and then
}

// Telling is an update of ours on its way.
type Telling struct {
	ID        int64 // ours
	Complaint string
	Update    open311.Update // with RequestID theirs; the worker adds our mark
	Note      bool           // it changes no status: Update has their last that is known
	Began     int64          // of the last POST, Unix ms; 0: none was begun, or it was certainly not taken
	Looks     int            // that did not find it since Began
	Since     int64          // Unix ms
}

// Filed is a delivery that arrived and is not over.
type Filed struct{ ID, Theirs string }

// Backlog is how much lies where.
type Backlog struct {
	Waiting int   // to be sent
	Sending int   // begun; whether they arrived is not known yet
	Unsure  int   // for a person
	Refused int   // for a person
	Held    int   // not for this destination
	Oldest  int64 // Unix ms since which the oldest of Waiting and Sending waits; 0: none
}

// Desk is the register as the worker needs it. Each call is one durable step;
// now is Unix ms.
type Desk interface {
	Deliveries
	Tellings
	Mirror
}

// Deliveries is what is to be sent.
type Deliveries interface {
	// Due returns at most n deliveries that are waiting, sending or unsure, and
	// whose time has come, the most urgent first.
	Due(ctx context.Context, now int64, n int) ([]Delivery, error)
	// Sending notes that a POST begins now. It must be durable.
	Sending(ctx context.Context, now int64, id string) error
	// Sent notes their id, of a delivery that was begun; the same again changes
	// nothing.
	Sent(ctx context.Context, now int64, id, theirs, notice string) error
	// Tokened notes the token that they gave instead of an id, and when to ask.
	Tokened(ctx context.Context, now int64, id, token string, next int64) error
	// Looked notes that it was not found, and when to look again. count: it was
	// a complete look-up.
	Looked(ctx context.Context, now int64, id string, next int64, why string, count bool) error
	// Failed notes that a POST was certainly not taken: it waits until next.
	Failed(ctx context.Context, now int64, id string, next int64, why string) error
	// Unsure hands it to a person, and says when to look again; Refused too: they
	// said what is wrong.
	Unsure(ctx context.Context, now int64, id string, next int64, why string) error
	Refused(ctx context.Context, now int64, id, why string) error
	// Unsettled tells whether a POST of ours was begun whose end is not known:
	// sending or unsure. An id that is none of ours is false.
	Unsettled(ctx context.Context, id string) (bool, error)
	// Known returns our id of theirs, "" where there is none.
	Known(ctx context.Context, theirs string) (string, error)
	Backlog(ctx context.Context) (Backlog, error)
}

// Tellings are updates of ours that they are to hear of.
type Tellings interface {
	// Tellings returns at most n whose time has come, of each complaint only the
	// first that is not settled.
	Tellings(ctx context.Context, now int64, n int) ([]Telling, error)
	// TellingBegins notes that a POST begins now. It must be durable.
	TellingBegins(ctx context.Context, now, id int64) error
	// TellingLater notes when to go on. taken: it may have been taken; looked: a
	// look-up did not find it.
	TellingLater(ctx context.Context, now, id, next int64, why string, taken, looked bool) error
	// TellingEnds settles it: Told under their id, TellUnsure or TellRefused for a
	// person to know, TellNone where they take no updates. What was told stays so,
	// under its first id that is not "".
	TellingEnds(ctx context.Context, now, id int64, end TellingEnd, theirs, why string) error
	// TellingBacklog counts what is not settled, and what is for a person.
	TellingBacklog(ctx context.Context) (TellingBacklog, error)
}

// TellingEnd is how a telling ended.
type TellingEnd uint8

// The ends.
const (
	Told TellingEnd = iota
	TellUnsure
	TellRefused
	TellNone
)

// TellingBacklog is how many updates stand how.
type TellingBacklog struct{ Waiting, Sending, Unsure, Refused int }

// Mirror takes what comes back. What it cannot take (a city.Error of another
// kind than internal and unavailable) is logged and left out.
type Mirror interface {
	// Outstanding returns at most n filed deliveries that are not over, by our
	// id, after one.
	Outstanding(ctx context.Context, after string, n int) ([]Filed, error)
	// Status takes a request of theirs as it is now. The same again changes
	// nothing.
	Status(ctx context.Context, now int64, id string, r *open311.Request) error
	// Update takes a change of a request of theirs, once for each id of an
	// update. One that was told under this id is ours, and changes nothing.
	Update(ctx context.Context, now int64, id string, u *open311.Update) error
	// Seen takes a request of theirs that is none of ours. The same again
	// changes nothing.
	Seen(ctx context.Context, now int64, r *open311.Request) error
	// Cursor returns up to when a list was read, Unix ms, 0 at first.
	Cursor(ctx context.Context, list string) (int64, error)
	SetCursor(ctx context.Context, list string, to int64) error
}
