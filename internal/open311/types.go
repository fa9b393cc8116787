package open311

// Service is one kind of report that can be filed.
type Service struct {
	Code        string
	Name        string
	Description string
	Metadata    bool   // a definition with attributes exists
	Type        string // realtime, batch or blackbox
	Keywords    []string
	Group       string
}

// The types of a service: an id at once, a token first, or neither.
const (
	Realtime = "realtime"
	Batch    = "batch"
	Blackbox = "blackbox"
)

// Definition is what a service asks besides.
type Definition struct {
	Code       string // of the service
	Attributes []Attribute
}

// Attribute is one question of a service.
type Attribute struct {
	Variable     bool // false: a text to show, no question
	Code         string
	Datatype     string // one of the Type words
	Required     bool
	DatatypeHelp string
	Order        int // 1 is first
	Description  string
	Values       []Value // of lists
}

// The datatypes of an attribute.
const (
	TypeString   = "string"
	TypeNumber   = "number"
	TypeDatetime = "datetime"
	TypeText     = "text"
	TypeOne      = "singlevaluelist"
	TypeMany     = "multivaluelist"
)

// Value is one choice of a list.
type Value struct{ Key, Name string }

// The two statuses of a request.
const (
	Open   = "open"
	Closed = "closed"
)

// Request is a report as it is shown. Expected is when it should be answered.
type Request struct {
	ID          string
	Status      string // Open or Closed
	StatusNotes string
	ServiceName string
	ServiceCode string
	Description string
	Agency      string // agency_responsible
	Notice      string // service_notice
	Requested   int64
	Updated     int64
	Expected    int64
	Address     string
	AddressID   string
	Zipcode     string
	Located     bool // Lat and Long are known
	Lat, Long   float64
	MediaURL    string
	Token       string // only read, where a list names it
	Extended    *Extended
}

// Extended is what extensions=true adds to a request.
type Extended struct {
	Channel    string // who or what reported it
	State      string // finer than open and closed
	District   string
	Media      []string // addresses of every photo
	Attributes []Answer
	Notes      []Note
}

// Note is one step in the life of a request.
type Note struct {
	At      int64
	Type    string
	Summary string
}

// Answer is what was given for one attribute.
type Answer struct {
	Code   string
	Values []string
}

// Created is the answer to a filing: an id, or a token until there is one.
type Created struct {
	ID      string
	Token   string
	Notice  string
	Account string
}

// Token ties a token to the id of its request; "" while there is none.
type Token struct{ ID, Token string }

// Update is a change of a request, of the updates extension.
type Update struct {
	ID          string
	RequestID   string
	Status      string // an Update word, as written by us; strangers' are kept as they came
	Description string
	MediaURL    string
	Updated     int64
	External    string // external_status_code
}

// Updated is the answer to a posted update.
type Updated struct{ ID, Account string }

// Fault is one entry of an error answer.
type Fault struct{ Code, Description string }

// Discovery says where the service is and how it speaks.
type Discovery struct {
	Changeset  int64 // when it last changed
	Contact    string
	KeyService string // how one gets an api_key
	Endpoints  []Endpoint
}

// Endpoint is one address in a discovery.
type Endpoint struct {
	Specification string
	URL           string
	Changeset     int64
	Type          string // production or test
	Formats       []string
}
