package api

import (
	"context"

	"github.com/simpang-id/simpang/internal/onboard"
)

// Unknown tells who speaks and is not in the inventory.
type Unknown interface {
	// Page returns at most limit of them after an id, sorted by id, and whether
	// there are more. by is the id of the token: what was sent is opened for it,
	// which is logged.
	Page(ctx context.Context, after string, limit int, by string) ([]onboard.Stranger, bool, error)
}

var _ Unknown = (*onboard.List)(nil)
