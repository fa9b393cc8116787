package api

import (
	"context"

	"github.com/simpang-id/simpang/internal/command"
	"github.com/simpang-id/simpang/internal/onboard"
)

// Unknown tells who speaks and is not in the inventory.
type Unknown interface {
	// Page returns at most limit of them after an id, sorted by id, and whether
	// there are more. by is the id of the token: what was sent is opened for it,
	// which is logged.
	Page(ctx context.Context, after string, limit int, by string) ([]onboard.Stranger, bool, error)
}

// Commands keeps what devices are told to do.
type Commands interface {
	// Order keeps a command, durably; the same while one is open is that one.
	// KindConflict: too many are open. KindUnprocessed: there is no way to the
	// device.
	Order(ctx context.Context, c command.Command) (kept command.Command, created bool, err error)
	// List returns those of a device before a number (0: all), the newest first.
	List(ctx context.Context, device string, before int64, limit int) ([]command.Command, error)
}

var _ Unknown = (*onboard.List)(nil)
