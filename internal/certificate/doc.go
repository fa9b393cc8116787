// Package certificate keeps a certificate a day of what came from each device,
// place (site or segment) and the city, and what is missing.
//
// # Life of a certificate
//
// A day is closed when it has been over for as long as a late reading is taken.
// Then health is asked for each device, as of a position of the journal that
// lies behind the end of that window. The certificates of a place's devices and
// the place's own, which names each by its hash, are written together; when all
// places are there, the day's list names each place by its hash. The hash of the
// list goes into the journal and with it into the books, whose checkpoints sign
// it.
//
// What comes for a closed day after that (a receipt of last month, a message
// taken up from quarantine) is noted, and once a day the devices concerned are
// asked for again. Where the answer differs there is a new revision, which names
// the hash of the one before. No revision is ever changed or removed before its
// retention is over.
//
// # A truth of its own
//
// certificates.db is backed up and never built again from what others concluded
// since: what a certificate said was so as of its position.
package certificate
