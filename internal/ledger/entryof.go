package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

// EntryOf returns the number of the entry that stands under the reference of a
// line, whatever that entry's content. KindNotFound: none does.
func (f *Follower) EntryOf(ctx context.Context, line journal.Line) (n uint64, err error) {
	err = f.db.R.QueryRowContext(ctx, "SELECT n FROM line WHERE type = ? AND ref = ?", int64(line.Type()), line.Key()).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, &city.Error{Kind: city.KindNotFound, Message: "nothing is booked under " + line.Key()}
	}
	if err != nil {
		return 0, fmt.Errorf("ledger: entry of %s: %w", line.Key(), err)
	}
	return n, nil
}
