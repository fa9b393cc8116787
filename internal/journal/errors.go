package journal

import (
	"errors"
	"fmt"
)

// ErrClosed says that the journal was closed.
var ErrClosed = errors.New("the journal is closed")

// DamageError names the first batch that is not as it was written.
type DamageError struct {
	File   string // path of the day's file
	First  uint64 // first position of the batch, 0 where the file as a whole is meant
	Detail string // what disagrees
	Err    error  // the cause, where there is one
}

// Error says where the damage is and what to do.
func (e *DamageError) Error() string {
	where := e.File
	if e.First > 0 {
		where = fmt.Sprintf("%s, batch at position %d", e.File, e.First)
	}
	text := fmt.Sprintf("journal damaged: %s: %s", where, e.Detail)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text + "; nothing was changed: check the disk, keep a copy of the folder, and restore the last backup into an empty data_dir"
}

// Unwrap returns the cause.
func (e *DamageError) Unwrap() error { return e.Err }

// BeyondHeadError says that a cursor lies after the journal's last position:
// the journal has lost what a follower has already seen.
type BeyondHeadError struct {
	Cursor uint64
	Head   uint64
}

// Error says what is wrong and what to do.
func (e *BeyondHeadError) Error() string {
	return fmt.Sprintf("cursor %d lies beyond the journal's head %d: the journal has lost entries that were committed; "+
		"keep a copy of the data_dir and restore the last backup", e.Cursor, e.Head)
}

// RetiredError says that what comes after a cursor lies in a day that was
// retired: it is in the archive.
type RetiredError struct {
	After uint64
	First uint64 // first position that the journal still has
}

// Error says what is wrong.
func (e *RetiredError) Error() string {
	return fmt.Sprintf("position %d lies in a retired day: the journal begins at %d, what came before is in the archive", e.After+1, e.First)
}
