package apitest

import (
	"context"
	"slices"

	"github.com/simpang-id/simpang/internal/onboard"
)

// Unknown answers with what the test set, and notes who asked.
type Unknown struct {
	All   []onboard.Stranger
	Asked []string // ids of tokens
}

// Page implements api.Unknown.
func (u *Unknown) Page(_ context.Context, after string, limit int, by string) ([]onboard.Stranger, bool, error) {
	u.Asked = append(u.Asked, by)
	left := slices.DeleteFunc(slices.Clone(u.All), func(s onboard.Stranger) bool { return s.Device <= after })
	return left[:min(limit, len(left))], len(left) > limit, nil
}
