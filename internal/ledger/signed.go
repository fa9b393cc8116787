package ledger

import (
	"fmt"

	"github.com/simpang-id/simpang/internal/proof"
)

// checkpoints compares each checkpoint with the recomputed tree, and checks its
// signature and that its log goes on from the one before.
func (c *check) checkpoints() error {
	if there, err := hasTable(c.ctx, c.tx, "checkpoint"); err != nil || !there {
		return err // a file that this program has not opened yet
	}
	rows, err := c.tx.QueryContext(c.ctx, selectCheckpoint+" ORDER BY id")
	if err != nil {
		return err
	}
	defer rows.Close()
	tiles := remembered(tilesOf(c.ctx, c.again.db.R))
	var last *Checkpoint
	for n := int64(1); rows.Next(); n++ {
		is, err := scanCheckpoint(rows.Scan)
		wrong := func(format string, args ...any) error {
			return &DisagreementError{Table: "checkpoint", Detail: fmt.Sprintf("number %d: ", is.id) + fmt.Sprintf(format, args...)}
		}
		switch {
		case err != nil:
			return wrong("%v", err)
		case is.id != n:
			return wrong("number %d is missing before it", n)
		case is.Size > c.again.state.n:
			return wrong("it signs %d entries, and there are %d", is.Size, c.again.state.n)
		}
		if err := is.agrees(tiles); err != nil {
			return err
		}
		if why := is.follows(last); why != "" {
			return wrong("%s", why)
		}
		last = is
		c.v.Checkpoints++
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if last != nil && c.o.Key != "" && last.key != c.o.Key {
		return &DisagreementError{Table: "checkpoint", Detail: fmt.Sprintf("number %d: it is signed by %s, and the signing key is that of %s", last.id, last.key, c.o.Key)}
	}
	return nil
}

// follows says why the checkpoint does not go on from the one before, "" where
// it does.
func (c *Checkpoint) follows(last *Checkpoint) string {
	switch {
	case last == nil && c.Before != nil:
		return "it goes on from a log of which nothing is kept"
	case last == nil:
		return ""
	case c.Size < last.Size:
		return fmt.Sprintf("it signs fewer entries than number %d", last.id)
	case c.Origin == last.Origin && c.key == last.key:
		return ""
	case c.Before == nil || *c.Before != (proof.Previous{Origin: last.Origin, Size: last.Size, Root: last.Root}):
		return fmt.Sprintf("it begins a log without going on from number %d", last.id)
	}
	return ""
}
