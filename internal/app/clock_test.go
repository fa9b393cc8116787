package app_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/simpang-id/simpang/internal/app"
	"github.com/simpang-id/simpang/internal/source/broker"
	"github.com/simpang-id/simpang/internal/source/sourcetest"
)

// wall is a clock on the wall that somebody sets.
type wall struct{ off atomic.Int64 }

func (w *wall) now() time.Time       { return time.Now().Add(time.Duration(w.off.Load())).Round(0) }
func (w *wall) jump(d time.Duration) { w.off.Add(int64(d)) }

// clocked is a gateway on a clock of its own, with one device connected.
type clocked struct {
	*running
	wall  *wall
	admin string
	dev   *sourcetest.Client
	slow  time.Duration // the device's clock against ours
	n     int           // readings sent
}

func startClocked(t *testing.T, dir string, w *wall) *clocked {
	t.Helper()
	c := &clocked{running: startAt(t, dir, w.now), wall: w}
	issued, err := broker.Issue(c.cfg.Sources[0].CredentialsFile, "d1")
	require.NoError(t, err)
	c.until("the broker knows the device", func() bool {
		c.dev = sourcetest.Dial(t, c.at.Brokers["b"], nil)
		if c.dev.Hello(sourcetest.Hello{User: "d1", Secret: issued[0].Secret}).ReasonCode == 0 {
			return true
		}
		c.dev.Close()
		return false
	})
	c.admin = c.running.admin()
	return c
}

func (c *clocked) send() {
	c.n++
	at := c.wall.now().Add(-c.slow).Format(time.RFC3339Nano)
	c.dev.Publish("sg/v1/d1/up", fmt.Appendf(nil, `{"kind":"spot","boot":1,"seq":%d,"at":%q,"occupied":true}`, c.n, at), 1, uint16(c.n))
}

func (c *clocked) acked() {
	c.t.Helper()
	require.EqualValues(c.t, c.n, c.dev.Expect(packets.Puback).PacketID)
}

func (c *clocked) ready() (ok bool, reasons []string) {
	c.t.Helper()
	var z struct {
		Reasons []struct{ Code, Detail string } `json:"reasons"`
	}
	status := c.get("/readyz", "", &z)
	for _, r := range z.Reasons {
		reasons = append(reasons, r.Code)
	}
	return status == http.StatusOK, reasons
}

// refused sends a reading that must not be taken, and waits until readyz says
// why.
func (c *clocked) refused() {
	c.t.Helper()
	c.send()
	c.until("readyz says clock", func() bool {
		ok, reasons := c.ready()
		return !ok && slices.Equal(reasons, []string{"clock"})
	})
	c.dev.Silent()
	require.Equal(c.t, http.StatusOK, c.get("/v1/parking/sites/s1", "", nil), "what is known is still told")
}

func (c *clocked) accept() {
	c.t.Helper()
	c.admin = c.running.admin() // a token of before may have expired a year ago
	require.Equal(c.t, http.StatusOK, c.do(http.MethodPost, "/v1/admin/clock", c.admin, nil))
	c.acked()
	c.until("ready again", func() bool { ok, _ := c.ready(); return ok })
}

// Our own clock is set forward and back by an hour and by a year: nothing is
// taken until it is right again or a person accepts it, and then everything
// that waited is, once, as it was sent.
func TestOurClockIsSetForwardAndBack(t *testing.T) {
	t.Parallel()
	for _, by := range []time.Duration{time.Hour, -time.Hour, 365 * 24 * time.Hour, -365 * 24 * time.Hour} {
		t.Run(by.String(), func(t *testing.T) {
			t.Parallel()
			ours := &wall{}
			if by < 0 { // the program was built before the time that the clock is set back to
				ours.jump(2 * -by)
			}
			dir := newDir(t)
			c := startClocked(t, dir, ours)
			c.send()
			c.acked()

			ours.jump(by)
			c.slow = by // the device is right
			c.refused()
			c.slow = 0
			ours.jump(-by)
			c.until("it goes on by itself", func() bool { ok, _ := c.ready(); return ok })
			c.acked()

			ours.jump(by)
			c.refused()
			c.accept()
			c.send()
			c.acked()

			ours.jump(-by) // and right again
			c.refused()
			c.accept()
			c.caughtUp()

			var list struct {
				Items []struct {
					Seq int `json:"seq"`
				} `json:"items"`
			}
			seen := map[int]int{}
			for _, around := range []time.Time{ours.now(), ours.now().Add(by)} {
				span := "from=" + url.QueryEscape(around.Add(-10*time.Minute).Format(time.RFC3339)) + "&to=" + url.QueryEscape(around.Add(10*time.Minute).Format(time.RFC3339))
				require.Equal(t, http.StatusOK, c.get("/v1/devices/d1/readings?"+span, c.admin, &list))
				for _, r := range list.Items {
					seen[r.Seq]++
				}
			}
			for n := range c.n {
				require.Equal(t, 1, seen[n+1], "reading %d of %d", n+1, c.n)
			}
			require.NoError(t, c.stop())
			require.NoError(t, app.Verify(t.Context(), c.cfg, func(string, ...any) {}))
		})
	}
}

// A machine may start with a clock that is years ahead, and start again: what
// was committed in between is no sign that the clock is right.
func TestAClockThatWasDoubtfulIsSoAfterARestart(t *testing.T) {
	ours, dir := &wall{}, newDir(t)
	c := startClocked(t, dir, ours)
	require.Zero(t, c.value("simpang_retention_doubt_seconds"))
	c.send()
	c.acked()
	c.dev.Close()
	require.NoError(t, c.stop())

	ours.jump(3 * 365 * 24 * time.Hour)
	for n := range 2 {
		again := startAt(t, dir, ours.now)
		require.Positive(t, again.value("simpang_retention_doubt_seconds"), "start %d", n)
		again.until("a tick is taken", func() bool { return again.value("simpang_journal_head") > float64(4+n) })
		require.NoError(t, again.stop())
	}
}

// A clock that is a year behind the journal at the start: the API runs, so that
// a person can accept it, and nothing is taken before.
func TestAStartWithAClockThatIsAYearBehind(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	defer http.DefaultClient.CloseIdleConnections()
	ours, dir := &wall{}, newDir(t)
	const year = 365 * 24 * time.Hour
	ours.jump(2 * year)
	c := startClocked(t, dir, ours)
	c.send()
	c.acked()
	c.dev.Close()
	require.NoError(t, c.stop())

	ours.jump(-year)
	n := c.n
	c = startClocked(t, dir, ours)
	c.n = n
	c.refused()
	c.accept()
	c.dev.Close()
	require.NoError(t, c.stop())
	require.NoError(t, app.Verify(t.Context(), c.cfg, func(string, ...any) {}))
}
