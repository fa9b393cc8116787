package watch

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestChangesMissNothing: a reader that comes after each flush sees the newest
// state of every incident, each change once, and an acknowledgement too.
func TestChangesMissNothing(t *testing.T) {
	t.Parallel()
	w := story(t, 300)
	entries := w.queue
	w.queue = nil
	known := map[string]Incident{}
	var after uint64
	seen := 0
	read := func(limit int) (n int) {
		for {
			list, next, err := w.f.Changes(t.Context(), after, limit)
			require.NoError(t, err)
			if len(list) == 0 {
				require.Equal(t, after, next)
				return n
			}
			require.Greater(t, next, after)
			for _, i := range list {
				known[i.ID] = i
			}
			after, n = next, n+len(list)
		}
	}
	for at := 0; at < len(entries); at += 10 {
		require.NoError(t, w.f.Apply(entries[at:min(at+10, len(entries))]))
		before := after
		require.Zero(t, read(3), "nothing that is not durable")
		require.Equal(t, before, after)
		pending := w.f.Pending()
		require.NoError(t, w.f.Flush())
		require.Zero(t, w.f.Pending())
		n := read(1 + at%7)
		require.Equal(t, pending, n, "what waits for the flush")
		seen += n
		require.Zero(t, read(0))
	}
	all := w.all()
	require.Greater(t, len(all), 5)
	require.Greater(t, seen, len(all), "some changed again")
	require.Len(t, known, len(all))
	for _, i := range all {
		require.Equal(t, i, known[i.ID])
	}

	i, err := w.f.Acknowledge(t.Context(), all[0].ID, "tk", "seen", w.now)
	require.NoError(t, err)
	list, next, err := w.f.Changes(t.Context(), after, 0)
	require.NoError(t, err)
	require.Equal(t, []Incident{i}, list)

	list, _, err = w.f.Changes(t.Context(), next+1000, 1)
	require.NoError(t, err)
	require.Len(t, list, 1, "a place of another file: from the first again")
}

// TestAnAcknowledgementBeforeTheFlushIsSeen: its incident comes with the flush.
func TestAnAcknowledgementBeforeTheFlushIsSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{}, town(t, "meter_silent: {no_history_h: 1}", "m@b"))
	w.until(w.now + 2*hourMs)
	i := w.all()[0]
	_, err := w.f.Acknowledge(t.Context(), i.ID, "tk", "", w.now)
	require.NoError(t, err)
	list, _, err := w.f.Changes(t.Context(), 0, 0)
	require.NoError(t, err)
	require.Empty(t, list)
	w.flush()
	list, _, err = w.f.Changes(t.Context(), 0, 0)
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Equal(t, StateAcknowledged, list[0].State)
}
