package outbox_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/simpang-id/simpang/internal/outbox"
	"github.com/simpang-id/simpang/internal/outbox/peertest"
)

// TestMain runs the peer where this process was started to be one; when all
// tests have ended, no goroutine is left.
func TestMain(m *testing.M) {
	peertest.Child()
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		http.DefaultClient.CloseIdleConnections()
		os.Exit(code)
	}))
}

var (
	wib   = time.FixedZone("WIB", 7*3600)
	start = time.Date(2026, 3, 2, 0, 0, 0, 0, wib)
)

func newWorker(t *testing.T, m *memory, url string, change ...func(*outbox.Options)) *outbox.Worker {
	t.Helper()
	o := outbox.Options{
		Desk: m, URL: url, Key: peertest.Key, Zone: wib, Log: slog.New(slog.DiscardHandler), Rand: rand.New(rand.NewPCG(1, 2)), Timeout: 400 * time.Millisecond,
		Interval: 20 * time.Minute,
	}
	for _, f := range change {
		f(&o)
	}
	w, err := outbox.New(o)
	require.NoError(t, err)
	return w
}

// TestThreeDays is three days of a city whose complaint system is killed, slowed, times out
// after accepting, breaks off, answers garbage, refuses for a while, and gives
// tokens; our own process dies in the middle of calls too. Each report is
// filed there once or is unsure, never twice, and every status comes back. OUTBOX_SEED=7 lives
// through others.
func TestThreeDays(t *testing.T) {
	const pace, day = 29 * time.Minute, 24 * time.Hour
	seed := uint64(1)
	if more, err := strconv.ParseUint(os.Getenv("OUTBOX_SEED"), 10, 64); err == nil {
		seed = more
	}
	chance := rand.New(rand.NewPCG(seed, 311))
	p, m := peertest.Start(t), newMemory()
	w := newWorker(t, m, p.URL())
	var deck []peertest.Mode
	weather := func() peertest.Mode { // half of the time it is well
		if chance.IntN(2) == 0 {
			return peertest.OK
		}
		if len(deck) == 0 {
			deck = unmet(t, p)
			chance.Shuffle(len(deck), func(i, j int) { deck[i], deck[j] = deck[j], deck[i] })
		}
		mode := deck[0]
		deck = deck[1:]
		return mode
	}
	now, end := start, start.Add(3*day)
	turn, filed, crashes := now, 0, 0
	for steps := 0; now.Before(end.Add(60 * time.Hour)); steps++ { // what is shown late is looked for once a day
		require.Less(t, steps, 200_000, "it does not come to an end")
		if !now.Before(end) && end.Before(start.Add(12*day)) && len(unmet(t, p)) > len(met)+len(refused) {
			end = end.Add(day) // a mode that no report met yet
		}
		for made := start.Add(time.Duration(filed) * pace); made.Before(now) && made.Before(end); made = start.Add(time.Duration(filed) * pace) {
			filed++
			id := fmt.Sprintf("SPG-2026-%06d", filed)
			m.add(id, now.UnixMilli())
			m.say(id, "in_progress", "Petugas berangkat.", now.UnixMilli())
			m.say(id, "fixed", "Sensor diganti.", now.UnixMilli())
		}
		switch {
		case now.After(end): // the weather is over: what is left comes to rest
			p.Run(t)
			p.Set(t, peertest.OK, now)
		case !now.Before(turn):
			turn = now.Add(time.Duration(10+chance.IntN(50)) * time.Minute)
			if chance.IntN(8) == 0 {
				p.Kill(t)
			} else {
				p.Run(t)
			}
			p.Set(t, weather(), now)
		default:
			p.Set(t, p.Mode(), now)
		}
		if p.Dead() && chance.IntN(3) == 0 {
			p.Run(t)
		}
		ctx, cancel := context.WithCancel(t.Context())
		if chance.IntN(40) == 0 { // our own process dies while it waits for an answer
			crashes++
			time.AfterFunc(time.Duration(chance.IntN(3))*time.Millisecond, cancel)
		}
		next, err := w.Step(ctx, now)
		died := ctx.Err() != nil
		cancel()
		if died {
			w = newWorker(t, m, p.URL())
			next = now
		} else {
			require.NoError(t, err)
		}
		now = maxTime(next, now.Add(time.Second))
	}
	require.GreaterOrEqual(t, filed, int(3*day/pace))
	require.Positive(t, crashes)
	checkDays(t, p, m)
}

// met are the modes in which a report must be taken in the three days, refused
// those that take none.
var (
	met = []peertest.Mode{
		peertest.AcceptHang, peertest.AcceptCut, peertest.AcceptGarbage, peertest.AcceptError, peertest.AcceptDie, peertest.AcceptHidden, peertest.Blind, peertest.Tokens, peertest.Slow,
	}
	refused = []peertest.Mode{peertest.Hang, peertest.Error, peertest.Redirect, peertest.Forbid, peertest.Busy, peertest.Garbage}
)

// unmet is the weather to come: all modes, and once more those in which no report
// was taken yet. When our process dies is a matter of real time, so that the
// same seed does not live through the same days twice.
func unmet(t *testing.T, p *peertest.Process) []peertest.Mode {
	t.Helper()
	list, err := peertest.Read(p.Dir)
	require.NoError(t, err)
	taken := map[peertest.Mode]bool{}
	for _, r := range list {
		taken[r.Mode] = true
	}
	deck := append(slices.Clone(met), refused...)
	for _, mode := range met {
		if !taken[mode] {
			deck = append(deck, mode, mode)
		}
	}
	return deck
}

// checkDays compares what the peer has on its disk with the register.
func checkDays(t *testing.T, p *peertest.Process, m *memory) {
	t.Helper()
	list, err := peertest.Read(p.Dir)
	require.NoError(t, err)
	there, attributes := map[string]string{}, 0
	taken := map[peertest.Mode]int{}
	for _, r := range list {
		taken[r.Mode]++
		id := strings.TrimPrefix(strings.SplitN(r.Form.Get("description"), "]", 2)[0], "[")
		require.Empty(t, there[id], "%s was filed twice", id)
		there[id] = r.ID
		if named := r.Form.Get("attribute[ANOMALI_ID]"); named != "" { // else nobody could tell that the service has it
			require.Equal(t, id, named)
			attributes++
		}
	}
	require.Greater(t, attributes, len(list)/2)
	count := map[string]int{}
	m.each(func(r *row) {
		count[r.state]++
		switch r.state {
		case "sent":
			require.Equal(t, there[r.ID], r.theirs, r.ID)
			require.Equal(t, "closed", r.status, "the status of %s came back", r.ID)
			require.Len(t, r.updates, 2, "both updates of %s came back, each once", r.ID)
		case "unsure":
			require.Empty(t, there[r.ID], "%s is there, and would have been seen", r.ID)
		default:
			t.Errorf("%s is %s at the end: %s", r.ID, r.state, r.why)
		}
	})
	require.Empty(t, m.seen)
	require.Less(t, count["unsure"], 8, "most of what ends unclear is found, or was asked for before it was risked")
	t.Logf("%d reports there, %v, updates %v", len(list), count, checkTold(t, p, m))
	for _, mode := range met {
		require.Positive(t, taken[mode], "no report met %s", mode)
	}
}

// checkTold compares what the peer heard of updates with the register: each once
// or unsure, never twice, those of a report in their order.
func checkTold(t *testing.T, p *peertest.Process, m *memory) map[string]int {
	t.Helper()
	said, err := peertest.ReadSaid(p.Dir)
	require.NoError(t, err)
	there, last := map[string]string{}, map[string]int64{}
	for _, u := range said {
		require.Empty(t, there[u.Posted], "%s was told twice", u.Posted)
		there[u.Posted] = u.ID
		id, number, _ := strings.Cut(u.Posted, "/")
		n, err := strconv.ParseInt(number, 10, 64)
		require.NoError(t, err)
		require.Less(t, last[id], n, "%s: in their order", id)
		last[id] = n
	}
	count := map[string]int{}
	for _, u := range m.tells {
		if m.rows[u.Complaint].theirs == "" {
			continue
		}
		count[u.state]++
		switch as := there[fmt.Sprintf("%s/%d", u.Complaint, u.ID)]; u.state {
		case "sent":
			require.NotEmpty(t, as)
			require.Equal(t, as, u.as)
		case "unsure":
			require.Empty(t, as, "it is there, and would have been seen")
		default:
			t.Errorf("update %d of %s is %s", u.ID, u.Complaint, u.state)
		}
	}
	return count
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
