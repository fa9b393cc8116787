package endtoend_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"
)

// hold takes the write lock of a file of the gateway, as another program
// would, until release is called.
func (g *gateway) hold(t *testing.T, name string) (release func()) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(g.dir, "data", name)+"?_pragma=busy_timeout(10000)")
	require.NoError(t, err)
	c, err := db.Conn(t.Context())
	require.NoError(t, err)
	_, err = c.ExecContext(t.Context(), "BEGIN IMMEDIATE")
	require.NoError(t, err)
	held := true
	release = func() {
		if held {
			held = false
			_, err := c.ExecContext(context.WithoutCancel(t.Context()), "ROLLBACK")
			require.NoError(t, err)
			require.NoError(t, c.Close())
			require.NoError(t, db.Close())
		}
	}
	t.Cleanup(release)
	return release
}

// follower is what readyz says of one.
func (r *ready) follower(name string) (lag uint64, detail string) {
	for _, f := range r.Followers {
		if f.Name == name {
			if f.Detail != nil {
				detail = *f.Detail
			}
			return f.Lag, detail
		}
	}
	return 0, "no such follower"
}

// The books' file is locked by another program while receipts come in: readyz
// tells, readings are taken and acknowledged, the other followers stay level,
// and when the lock is gone the books catch up by themselves, to the rupiah.
// In the long run that lasts.
func TestAFollowerIsLockedOut(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for a lock")
	}
	g := newGateway(t, writeCity(t, ""), brokerSource)
	secret := g.bridgeSecret()
	g.start()
	g.login()
	p := connect(t, g.mqtt, "bridge", secret)
	const array = 250
	seq := 0
	sum := int64(0)
	receipts := func(n int) {
		t.Helper()
		for n > 0 {
			texts := make([]string, 0, array)
			for range min(array, n) {
				seq++
				sum += int64(1000 + seq%7)
				texts = append(texts, fmt.Sprintf(`{"kind":"receipt","boot":1,"seq":%d,"at":%q,"receipt":"K-%d","amount":%d,"method":"cash","class":"car"}`, seq, at(0), seq, 1000+seq%7))
			}
			n -= len(texts)
			p.up("meter-s-count-1", "["+strings.Join(texts, ",")+"]")
		}
	}
	receipts(1000)
	g.level()
	before := g.vitals()
	held := sum
	release := g.hold(t, "ledger.db")
	receipts(times(4000, 150_000))
	spots := 0
	g.patience = 3 * time.Minute
	g.until("readyz tells of the books", func() bool {
		spots++
		p.up("spot-c01", spotReading(1, spots, at(0), spots%2 == 0))
		z := g.readyz()
		_, detail := z.follower("ledger")
		return strings.Contains(detail, "locked")
	})
	require.Equal(t, http.StatusServiceUnavailable, g.status("/readyz"))
	g.until("the others are level", func() bool {
		z := g.readyz()
		for _, f := range z.Followers {
			if f.Name != "ledger" && (f.Lag > 0 || f.Detail != nil) {
				return false
			}
		}
		lag, detail := z.follower("ledger")
		return lag > 0 && detail != ""
	})
	require.Equal(t, http.StatusOK, g.status("/v1/parking/sites/S-SPOT"))
	var books int64
	for _, day := range list[bookRow](g, "/v1/revenue/daily?"+span(time.Now().Add(-48*time.Hour), time.Now().Add(48*time.Hour))) {
		books += day.Recorded
	}
	require.Equal(t, held, books, "what they had they still tell")
	if long() {
		time.Sleep(outage()) // tried again, and again
	}
	release()
	freed := time.Now()
	g.until("ready again, by itself", func() bool { return g.status("/readyz") == http.StatusOK })
	receipts(100)
	require.Equal(t, sum, g.recorded(), "rupiah")
	t.Logf("%d receipts while it was locked out; level %v after the lock was gone", seq-1100, time.Since(freed).Round(time.Millisecond))
	eachOnce(t, g.readings("spot-c01"), spots)
	g.recovers(t, before, 64)
	g.verified(t)
}
