package complaint

// Source says where a complaint comes from.
type Source string

// The sources.
const (
	SourceCitizen Source = "citizen" // over our Open311 face
	SourceAnomaly Source = "anomaly" // an incident of watch
	SourceCity    Source = "city"    // pulled from the city's system: never sent back to it
)

// Sources lists every source.
var Sources = []Source{SourceCitizen, SourceAnomaly, SourceCity}

// State is how a complaint stands.
type State string

// The states.
const (
	StateReceived   State = "received"
	StateVerified   State = "verified" // and forwarded to the agency
	StateInProgress State = "in_progress"
	StateAnswered   State = "answered"
	StateClosed     State = "closed"
	StateRejected   State = "rejected"
	StateDuplicate  State = "duplicate"
)

// States lists every state.
var States = []State{StateReceived, StateVerified, StateInProgress, StateAnswered, StateClosed, StateRejected, StateDuplicate}

// Open tells whether somebody still has to act: Open311's two statuses.
func (s State) Open() bool { return s != StateClosed && s != StateRejected && s != StateDuplicate }

// Complaint is one complaint. Times are Unix ms, 0: not yet. What is under
// Private, and all of a complaint with Money, is in no public answer.
type Complaint struct {
	ID          string // SPG-2026-000123, without holes a year
	Source      Source
	Service     string // code in agencies.yaml
	Agency      string // id in agencies.yaml, "" where none has it
	Subjects    Subjects
	Kecamatan   string
	Lat, Long   float64
	Located     bool // Lat and Long are known
	Address     string
	Description string      // public
	Attributes  []Attribute // answers to the service's questions; not public
	Media       []string    // ids of photos
	MediaURL    string      // of the reporter; never fetched, and not public before a person verified
	Private     Private
	Money       bool   // confidential: never public
	Public      bool   // its service is public
	Incident    string // id of the anomaly; "" where it is of none
	Rule        string // of the anomaly
	Severity    string // low, medium, high; "" where it is of no anomaly

	State     State
	Duplicate string // the complaint that it is a duplicate of
	Reopened  int    // times
	Escalated int    // steps up the line, of the present deadline
	Escalates int    // steps up the line in all
	Recovered int64  // the sensors see that it is over: a person may close it

	Received  int64
	VerifyDue int64
	Verified  int64
	FollowDue int64 // of the present round
	Answered  int64 // of the present round
	CloseDue  int64
	Closed    int64 // also rejected and duplicate
	Updated   int64

	FirstDue      int64 // FollowDue of the first round
	FirstAnswered int64 // Answered of the first round

	Delivery Delivering // how the sending to the city's system stands
	Theirs   string     // their id, "" not known
	Updates  int        // how many there are
}

// Subjects are what a complaint is about; each may be empty. More than one
// device or site: a digest of what came at once.
type Subjects struct {
	Sites    []string `json:",omitempty"`
	Segments []string `json:",omitempty"`
	Devices  []string `json:",omitempty"`
}

// Attribute is the answer to one of a service's questions.
type Attribute struct {
	Code   string
	Values []string
}

// Private is what only those who work on a complaint see.
type Private struct {
	FirstName string `json:",omitempty"`
	LastName  string `json:",omitempty"`
	Phone     string `json:",omitempty"`
	Email     string `json:",omitempty"`
	Device    string `json:",omitempty"` // device_id of the reporter's program
	Account   string `json:",omitempty"` // account_id
	Text      string `json:",omitempty"` // what officers read: money, operators
}

// Update is one entry of a complaint's history; none is ever changed.
type Update struct {
	ID        int64 // grows over all complaints, without holes
	Complaint string
	At        int64  // of the act
	State     State  // after it
	Status    Status // GeoReport's word for it
	What      string // one of Whats
	Text      string // public, unless Hidden
	Hidden    bool   // for colleagues only
	By        string // id of a token; "" the gateway; "city" their system; "citizen"
	Theirs    string // update_id of the city's system; "" where it is ours
	Media     string // media_url
}

// Whats lists what an update may be.
var Whats = []string{
	"received", "verified", "in_progress", "answered", "closed", "rejected", "duplicate", "reopened", "note",
	"joined", "recovered", "returned", "escalated", "routed", "delivered", "undelivered",
}

// Photo is a picture of a complaint: checked and stripped by who gives it.
type Photo struct {
	ID        string // unguessable
	Complaint string // "" until a complaint takes it
	Type      string // image/jpeg or image/png
	At        int64
	Data      []byte
}

// Status is a word of the updates extension of GeoReport v2, in lower case.
type Status string

// The words that we say.
const (
	StatusOpen          Status = "open"
	StatusInvestigating Status = "investigating"
	StatusInProgress    Status = "in_progress"
	StatusFixed         Status = "fixed"
	StatusClosed        Status = "closed"
	StatusNoAction      Status = "no_further_action"
	StatusDuplicate     Status = "duplicate"
	StatusReopen        Status = "reopen"
	StatusUnchanged     Status = "unchanged"
)

// statusOf is what we say of a state.
var statusOf = map[State]Status{
	StateReceived: StatusOpen, StateVerified: StatusInvestigating, StateInProgress: StatusInProgress, StateAnswered: StatusFixed,
	StateClosed: StatusClosed, StateRejected: StatusNoAction, StateDuplicate: StatusDuplicate,
}

// Status returns the word for a state.
func (s State) Status() Status { return statusOf[s] }

// stateOf is what a word of another system means here; "" says nothing of the
// state.
var stateOf = map[Status]State{
	StatusOpen: StateReceived, "for_triage": StateReceived, StatusInvestigating: StateVerified, "internal_referral": StateVerified,
	StatusInProgress: StateInProgress, "planned": StateInProgress, "action_scheduled": StateInProgress, StatusFixed: StateAnswered,
	StatusClosed: StateClosed, StatusNoAction: StateRejected, "not_councils_responsibility": StateRejected, "cancelled": StateRejected,
	StatusDuplicate: StateDuplicate, StatusReopen: StateVerified, StatusUnchanged: "",
}

// StateOf returns what a word means here, "" where it changes nothing; false
// where it is no word of the extension.
func StateOf(s Status) (State, bool) {
	state, ok := stateOf[s]
	return state, ok
}

// Statuses lists every word of the extension.
var Statuses = []Status{
	StatusOpen, StatusInvestigating, StatusInProgress, "planned", "action_scheduled", StatusNoAction, "not_councils_responsibility",
	StatusDuplicate, "internal_referral", "cancelled", StatusFixed, StatusClosed, StatusReopen, "for_triage", StatusUnchanged,
}

// Delivering is how the sending to the city's system stands.
type Delivering string

// The states of a delivery.
const (
	DeliveryNone    Delivering = ""        // not to be sent
	DeliveryWaiting Delivering = "waiting" // to be sent, or tried again
	DeliverySending Delivering = "sending" // began; whether it arrived is not known
	DeliverySent    Delivering = "sent"
	DeliveryUnsure  Delivering = "unsure"  // began, was not found there: for a person, never sent again by itself
	DeliveryRefused Delivering = "refused" // they said that it is wrong: for a person
	DeliveryHeld    Delivering = "held"    // money, and the destination is not marked confidential
)

// Deliverings lists every state of a delivery but none.
var Deliverings = []Delivering{DeliveryWaiting, DeliverySending, DeliverySent, DeliveryUnsure, DeliveryRefused, DeliveryHeld}

// Delivery is a request to be filed with the city's system: the outbox's row.
type Delivery struct {
	Complaint Complaint // as it may leave: without Private and Attributes of money
	State     Delivering
	Tries     int   // that were certainly not taken
	Looks     int   // complete look-ups that did not find it since Began
	Began     int64 // of the last try that may have been taken; 0: none
	Next      int64 // not before
	Since     int64
	Token     string // they gave it instead of an id
	Why       string
}

// Filed is a delivery that arrived, of a complaint that is not over.
type Filed struct{ ID, Theirs string }

// Backlog is how many deliveries stand how.
type Backlog struct {
	Waiting, Sending, Unsure, Refused, Held int
	Oldest                                  int64 // since when the oldest of Waiting and Sending waits; 0: none
}

// New is a complaint to be received.
type New struct {
	Source      Source
	Service     string
	Subjects    Subjects
	Kecamatan   string // "" is worked out of the site
	Lat, Long   float64
	Located     bool
	Address     string
	Description string
	Attributes  []Attribute
	Photos      []string // ids of photos that were put before
	MediaURL    string
	Private     Private
	Theirs      string // SourceCity: their id; the same again is the same complaint
	Agency      string // SourceCity: "" is worked out
}

// NewUpdate is what somebody does to a complaint.
type NewUpdate struct {
	State  State  // "" leaves it; StateVerified of a closed one reopens it
	Status Status // GeoReport's word where another than the state's is meant
	Text   string
	Hidden bool
	By     string // id of a token, "citizen"
	Of     string // the complaint that it is a duplicate of, with StateDuplicate
	Agency string // another agency, "" leaves it
	Theirs string // update_id of who sends it; the same twice is once
	// Through skips the steps between: of who has words for an end only.
	Through bool
	Media   string // media_url
}

// Query selects complaints, the newest first.
type Query struct {
	IDs        []string     // nil: all
	Agencies   []string     // nil: all
	Services   []string     // nil: all
	States     []State      // nil: all
	Sources    []Source     // nil: all
	Deliveries []Delivering // nil: all
	Site       string
	Overdue    bool  // only those whose present deadline has passed
	Now        int64 // for Overdue
	From, To   int64 // of Received, from inclusive, to exclusive; 0: no bound
	UpdatedAt  int64 // updated at or after; 0: no bound
	Public     bool  // only what anyone may see
	NoMoney    bool
	Money      bool   // only money
	After      string // cursor of the page before
	Limit      int

	open    bool  // somebody still has to act
	endedAt int64 // ended at or after; 0: no bound
}
