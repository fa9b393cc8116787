// Package journal is the gateway's one durable log: append, and read after a
// cursor. Whoever wants to know what happened reads it, and nothing else.
package journal

import "github.com/simpang-id/simpang/internal/city"

// Type is the type of a journal entry. The numbers are on disk: append only.
type Type uint8

// The types of entry.
const (
	TypeReading   Type = 1 // an accepted reading
	TypeTick      Type = 2 // one a minute, and when the present changes by itself: the followers' only clock is its Recv
	TypeTally     Type = 3 // duplicates and refusals of a device, for completeness
	TypeInventory Type = 4 // a version of the inventory was accepted
	TypeClosure   Type = 5 // a closure was set over the API
	TypeReopen    Type = 6 // a closure of the API was taken back
	TypeDay       Type = 7 // first entry of a day's file
	TypeArchive   Type = 8 // an archived day: its files and their hashes

	// What people write into the books (Act).
	TypeDeposit     Type = 9
	TypeKarcis      Type = 10
	TypeHandover    Type = 11
	TypeDeclaration Type = 12
	TypeClose       Type = 13
	TypeAccess      Type = 14 // who read money

	TypeCertificates Type = 15 // the hash of a day's certificates of completeness; an act of the gateway itself
)

// Flags say what intake saw of a reading that it accepted all the same.
type Flags uint8

// The flags of a reading.
const (
	FlagLate    Flags = 1 << iota // a receipt older than the source's max_age
	FlagRetried                   // taken up from quarantine; Recv is the first receive time
	FlagNewRun                    // no boot, and a lower seq with a later at: a new run began
	FlagReset                     // a counter that never goes back began anew
	FlagSkewed                    // the device's clock is off by more than the rules allow: At is as sent
)

// Entry is one record of the journal. Exactly the body of its Type is set.
// Entries are shared between readers: nobody changes one.
type Entry struct {
	Pos    uint64 // 1, 2, 3 ... without holes
	Recv   int64  // our clock at receipt, Unix ms; never before the entry's predecessor's, but for FlagRetried and a clock set right that a person accepted
	Type   Type
	Flags  Flags
	Source string // id of the source, "" for our own entries

	Reading   *city.Reading
	Tally     *Tally
	Inventory *InventoryVersion
	Closure   *Closure
	Day       *Day
	Archive   *Archive
	Act       *Act
}

// Tally counts what a device sent and what was not appended, since its last
// tally. It is appended with the batch in which it happened.
type Tally struct {
	Device      string
	Duplicates  uint32
	Quarantined []Quarantined
}

// Quarantined is one reading that was set aside; HasSeq is false where the
// sequence number could not be read.
type Quarantined struct {
	HasSeq  bool
	HasBoot bool
	Boot    uint64
	Seq     uint64
	At      int64 // Unix ms, 0 where it could not be read
	Reason  city.Reason
}

// InventoryVersion says that from Recv on a version holds. Its files are kept
// by hash beside the journal.
type InventoryVersion struct {
	Hash  string     // of the list of files, hex SHA-256
	Files []FileHash // sorted by name
}

// FileHash is one file of the inventory.
type FileHash struct {
	Name   string
	SHA256 string // hex
}

// Closure is a closure that was set over the API; From, Until in Unix ms.
type Closure struct {
	ID         string
	Site       string // or
	Segment    string
	From       int64
	Until      int64 // 0: open end
	Reason     string
	Note       string
	PlacesLost city.Int // unset: the whole place
	By         string   // id of the token, no name
}

// Day begins a day's file: it ties the file to what came before it.
type Day struct {
	Date          string // YYYY-MM-DD in the city's zone
	PrevHash      string // hash of the last batch before, hex; "" for the first
	InventoryHash string
	Closures      []Closure // still open
}

// Archive says that a day was archived whole.
type Archive struct {
	Date  string
	Files []FileHash
	Rows  uint64
	First uint64 // first and last position of the day
	Last  uint64
}
