// Package truth is the file of what really happened in a simulation and what
// was delivered of it, one JSON object a line (docs/firmware-sim.md).
package truth

import (
	"encoding/json"

	"github.com/simpang-id/simpang/internal/city"
)

// The kinds of line.
const (
	Run        = "run"         // first line: what was run
	Stay       = "stay"        // a vehicle stayed; without `left` it is there still
	TurnedAway = "turned_away" // a vehicle found no place
	Flow       = "flow"        // what passed a segment in one period
	Payment    = "payment"     // a receipt was printed
	Fault      = "fault"       // a fault was made
	Delivered  = "delivered"   // acknowledged, to be accepted
	Duplicate  = "duplicate"   // acknowledged, to be counted as a duplicate
	Refused    = "refused"     // acknowledged, to be in quarantine
	Resent     = "resent"      // sent again for want of an acknowledgement: may count as a duplicate
	Unacked    = "unacked"     // given up at the stop: may have arrived
	Leak       = "leak"        // money that was planted to be lost
	Deposit    = "deposit"     // what was deposited: contract section 4
	Declared   = "declaration" // what a taxpayer filed
	Command    = "command"     // a device did, or refused, what it was told (kind)
	End        = "end"         // last line: totals
)

// Line is one line. What is not of its kind is left out. Times are Unix ms,
// speeds km/h, amounts rupiah.
type Line struct {
	What string `json:"what"`

	Version   int    `json:"version,omitempty"` // run: of this format
	Seed      uint64 `json:"seed,omitempty"`
	Start     int64  `json:"start,omitempty"`
	Inventory string `json:"inventory,omitempty"` // hash of the list of files

	Site    string     `json:"site,omitempty"`
	Segment string     `json:"segment,omitempty"`
	Class   city.Class `json:"class,omitempty"`

	Stay    uint64 `json:"stay,omitempty"` // number of the stay, from 1
	Entered int64  `json:"entered,omitempty"`
	Left    int64  `json:"left,omitempty"`

	From  int64   `json:"from,omitempty"`
	Until int64   `json:"until,omitempty"`
	SM    uint32  `json:"sm,omitempty"`
	KR    uint32  `json:"kr,omitempty"`
	KB    uint32  `json:"kb,omitempty"`
	KTB   uint32  `json:"ktb,omitempty"`
	Speed float64 `json:"speed_kmh,omitempty"`
	Jam   bool    `json:"jam,omitempty"`

	Receipt string       `json:"receipt,omitempty"`
	Amount  *city.Rupiah `json:"amount,omitempty"`
	Method  city.Method  `json:"method,omitempty"`
	Void    bool         `json:"void,omitempty"`
	Reprint bool         `json:"reprint,omitempty"`

	Fault string `json:"fault,omitempty"` // fault, leak: its name

	Body json.RawMessage `json:"body,omitempty"` // deposit, declaration: as it is sent to the gateway

	Device  string          `json:"device,omitempty"`
	Kind    string          `json:"kind,omitempty"`
	Boot    *uint64         `json:"boot,omitempty"`
	Seq     *uint64         `json:"seq,omitempty"`
	At      int64           `json:"at,omitempty"`
	Reason  city.Reason     `json:"reason,omitempty"`  // refused
	Reading json.RawMessage `json:"reading,omitempty"` // delivered: contract section 2, without plate

	Totals map[string]uint64 `json:"totals,omitempty"` // end: lines by kind, and faults by name
}

// FormatVersion is the version of this format.
const FormatVersion = 1
