package certificate

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/health"
	"github.com/simpang-id/simpang/internal/inventory"
)

type nobody struct{}

func (nobody) CompletenessOf(context.Context, string, []string) ([]health.Day, error) {
	return nil, &city.Error{Kind: city.KindNotFound}
}

// TestADraftIsKeptForAMinute: then it is made anew; they are bounded, and who
// waits for another's to be made may give up.
func TestADraftIsKeptForAMinute(t *testing.T) {
	now := time.UnixMilli(1_772_380_800_000)
	f, err := Open(t.Context(), filepath.Join(t.TempDir(), "certificates.db"), Options{Timeline: new(inventory.Timeline), Zone: time.UTC, City: "c", Source: nobody{}, Now: func() time.Time { return now }})
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	draft := func(key string) *Kept {
		d, err := f.Draft(t.Context(), key, "2026-03-02")
		require.NoError(t, err)
		return d
	}
	one := draft("site/a")
	require.Same(t, one, draft("site/a"))
	require.NotSame(t, one, draft("site/b"))
	now = now.Add(draftFor)
	require.NotSame(t, one, draft("site/a"), "made anew")

	for i := range 2 * mostDrafts {
		draft(SiteKey(string(rune('c' + i))))
	}
	require.Len(t, f.drafts.kept, mostDrafts)

	f.drafts.turn <- struct{}{}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	_, err = f.Draft(ctx, "site/a", "2026-03-02")
	require.ErrorIs(t, err, context.Canceled)
}
