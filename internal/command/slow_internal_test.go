package command

import (
	"database/sql"
	"maps"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/sqlite"
)

// TestTheIntakeDoesNotWaitForOurDisk: while the file cannot be written, and a
// round waits for it, what devices say is taken at once; it is not lost either.
// Of what the intake calls nothing else is of this package.
func TestTheIntakeDoesNotWaitForOurDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "commands.db")
	s, err := Open(t.Context(), path, Limits{})
	require.NoError(t, err)
	defer s.Close()
	var ids []string
	for _, device := range []string{"d1", "d2"} {
		c, _, err := s.Order(t.Context(), Command{Device: device, Kind: Reboot, At: 1, Expires: 1 << 50})
		require.NoError(t, err)
		ids = append(ids, c.ID)
	}
	other, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	require.NoError(t, err)
	defer other.Close()
	held, release, freed := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		freed <- other.Tx(t.Context(), func(*sql.Tx) error {
			close(held)
			<-release
			return nil
		})
	}()
	<-held
	s.Answered([]Answer{{Device: "d1", ID: ids[0], OK: true}})
	round := make(chan error, 1)
	go func() { round <- s.TakeIn(t.Context(), 2) }()
	require.Eventually(t, func() bool { // then it holds the store, and waits for the disk
		s.inbox.mu.Lock()
		defer s.inbox.mu.Unlock()
		return len(s.inbox.answers) == 0
	}, 10*time.Second, time.Millisecond)

	s.Heard(maps.All(map[string]string{"d1": "b", "d2": "b"}))
	s.Answered([]Answer{{Device: "d2", ID: ids[1], OK: true}})
	select {
	case err := <-round:
		t.Fatalf("the intake waited until the disk's turn was over: %v", err)
	default:
	}
	close(release)
	require.NoError(t, <-freed)
	require.NoError(t, <-round)
	require.NoError(t, s.TakeIn(t.Context(), 3))
	require.EqualValues(t, 2, s.Counts().Acknowledged)
}
