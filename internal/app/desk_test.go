package app

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/api/apitest"
	"github.com/simpang-id/simpang/internal/complaint"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/open311"
	"github.com/simpang-id/simpang/internal/outbox"
	"github.com/simpang-id/simpang/internal/outbox/peertest"
)

func openDesk(t *testing.T, path string) *desk {
	t.Helper()
	version := apitest.Inventory(t)
	reg, err := complaint.Open(t.Context(), path, complaint.Options{
		Inventory: func() *inventory.Version { return version }, Zone: apitest.Zone, Destination: complaint.Destination{Set: true},
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = reg.Close() })
	return &desk{Register: reg}
}

// received files a citizen's report and has it verified, so that it is to be
// sent.
func received(t *testing.T, d *desk, now time.Time) string {
	t.Helper()
	c, err := d.Receive(t.Context(), now.UnixMilli(), complaint.New{
		Source: complaint.SourceCitizen, Service: "illegal_parking", Description: "Mobil di trotoar", Located: true, Lat: -6.2379, Long: 107.0011,
		Private: complaint.Private{FirstName: "Budi", Phone: "0812"},
	})
	require.NoError(t, err)
	_, _, err = d.Register.Update(t.Context(), now.UnixMilli(), c.ID, complaint.NewUpdate{State: complaint.StateVerified, By: "t"})
	require.NoError(t, err)
	return c.ID
}

// The real register behind the outbox, and a city's system that accepts and
// hangs, accepts and dies, answers garbage and gives tokens, for a day in which
// the gateway starts anew again and again: each complaint is there once or is
// unsure, and what they did came back once, at their time.
func TestComplaintsGoToTheCity(t *testing.T) {
	path := filepath.Join(t.TempDir(), "complaints.db")
	d, p := openDesk(t, path), peertest.Start(t)
	newWorker := func() *outbox.Worker {
		w, err := outbox.New(outbox.Options{
			Desk: d, URL: p.URL(), Key: peertest.Key, Zone: apitest.Zone, Log: slog.New(slog.DiscardHandler), Timeout: 300 * time.Millisecond, Interval: 20 * time.Minute,
			Rand: rand.New(rand.NewPCG(3, 1)),
		})
		require.NoError(t, err)
		return w
	}
	w := newWorker()
	modes := []peertest.Mode{
		peertest.OK, peertest.AcceptHang, peertest.AcceptDie, peertest.AcceptCut, peertest.OK, peertest.AcceptGarbage, peertest.Tokens, peertest.Blind, peertest.AcceptError, peertest.Redirect,
	}
	var ids []string
	now := apitest.Noon
	turn := now
	for now.Before(apitest.Noon.Add(34 * time.Hour)) {
		if !now.Before(turn) {
			turn = now.Add(2 * time.Hour)
			if n := len(ids) / 2; n < len(modes) {
				p.Set(t, modes[n], now)
				ids = append(ids, received(t, d, now), received(t, d, now))
			} else {
				p.Set(t, peertest.OK, now)
			}
			require.NoError(t, d.Close())
			d = openDesk(t, path)
			w = newWorker()
		}
		p.Set(t, p.Mode(), now)
		if p.Dead() {
			p.Run(t)
		}
		next, err := w.Step(t.Context(), now)
		require.NoError(t, err)
		now = now.Add(max(next.Sub(now), time.Second))
	}
	there := map[string]string{}
	list, err := peertest.Read(p.Dir)
	require.NoError(t, err)
	for _, r := range list {
		id, _, _ := strings.Cut(strings.TrimPrefix(r.Form.Get("description"), "["), "]")
		require.Empty(t, there[id], "%s was filed twice", id)
		there[id] = r.ID
		require.NotContains(t, r.Form.Encode(), "Budi")
	}
	sent := 0
	for _, id := range ids {
		c, err := d.Complaint(t.Context(), id)
		require.NoError(t, err)
		if c.Delivery == complaint.DeliveryUnsure {
			require.Empty(t, there[id], id)
			continue
		}
		sent++
		require.Equal(t, complaint.DeliverySent, c.Delivery, id)
		require.Equal(t, there[id], c.Theirs)
		require.Equal(t, complaint.StateClosed, c.State, id)
		history, err := d.History(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, 1, count(history, "in_progress"), id)
		require.Equal(t, 1, count(history, "closed"), id)
		require.InDelta(t, peertest.Closes.Hours(), time.Duration((c.Closed-c.Received)*int64(time.Millisecond)).Hours(), 3, "closed when they did it, not when it was pulled")
	}
	require.Len(t, ids, 20)
	require.GreaterOrEqual(t, sent, 16)
	all, _, err := d.Complaints(t.Context(), complaint.Query{Limit: 100})
	require.NoError(t, err)
	require.Len(t, all, 20, "none of ours is taken for one of theirs")
}

func count(history []complaint.Update, what string) (n int) {
	for _, u := range history {
		if u.What == what {
			n++
		}
	}
	return n
}

// What the city's system says is taken once, and what was reopened here is not
// closed again by old news; what is not ours is mirrored where we know its kind.
func TestWhatComesBackIsTakenOnce(t *testing.T) {
	d := openDesk(t, filepath.Join(t.TempDir(), "complaints.db"))
	now := apitest.Noon
	ms := func(hours int) int64 { return now.Add(time.Duration(hours) * time.Hour).UnixMilli() }
	id := received(t, d, now)
	closed := &open311.Request{ID: "P1", Status: open311.Closed, StatusNotes: "selesai", Updated: ms(1)}
	for range 2 {
		require.NoError(t, d.Status(t.Context(), ms(5), id, closed))
	}
	c, err := d.Complaint(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, complaint.StateClosed, c.State)
	require.Equal(t, ms(1), c.Closed)
	_, _, err = d.Register.Update(t.Context(), ms(6), id, complaint.NewUpdate{State: complaint.StateVerified, Text: "kembali", By: "t"})
	require.NoError(t, err)
	require.NoError(t, d.Status(t.Context(), ms(7), id, closed))
	c, err = d.Complaint(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, complaint.StateVerified, c.State, "old news")
	closed.Updated = ms(8)
	require.NoError(t, d.Status(t.Context(), ms(9), id, closed))
	c, err = d.Complaint(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, complaint.StateClosed, c.State)

	before, err := d.Backlog(t.Context())
	require.NoError(t, err)
	for range 2 {
		require.NoError(t, d.Seen(t.Context(), ms(1), &open311.Request{ID: "X1", ServiceCode: "no_karcis", Status: open311.Open, Located: true, Lat: -6.2379, Long: 107.0011}))
		require.NoError(t, d.Seen(t.Context(), ms(1), &open311.Request{ID: "X2", ServiceCode: "lampu-jalan", Status: open311.Open}))
	}
	all, _, err := d.Complaints(t.Context(), complaint.Query{Sources: []complaint.Source{complaint.SourceCity}, Limit: 10})
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.Equal(t, "X1", all[0].Theirs)
	_, _, err = d.Register.Update(t.Context(), ms(2), all[0].ID, complaint.NewUpdate{State: complaint.StateVerified, By: "t"})
	require.NoError(t, err)
	after, err := d.Backlog(t.Context())
	require.NoError(t, err)
	require.Equal(t, before, after, fmt.Sprint("what came from there is never sent back: ", after))
}

// What a person closed here, theirs heard of and closed too, and the sensors
// reopened, is not ended by that old end of theirs; what we told is no news when
// it comes back, and a code of theirs is our service.
func TestOurOwnEndComesBack(t *testing.T) {
	d := openDesk(t, filepath.Join(t.TempDir(), "complaints.db"))
	d.ours = func(theirs string) string { return map[string]string{"KARCIS": "no_karcis"}[theirs] }
	ms := func(hours int) int64 { return apitest.Noon.Add(time.Duration(hours) * time.Hour).UnixMilli() }
	id := received(t, d, apitest.Noon)
	require.NoError(t, d.Sending(t.Context(), ms(1), id))
	require.NoError(t, d.Sent(t.Context(), ms(1), id, "P1", ""))
	for _, n := range []complaint.NewUpdate{{State: complaint.StateAnswered, Text: "Diderek", By: "t"}, {State: complaint.StateClosed, By: "t"}} {
		_, _, err := d.Register.Update(t.Context(), ms(2), id, n)
		require.NoError(t, err)
		list, err := d.Tellings(t.Context(), ms(2), 10)
		require.NoError(t, err)
		require.Len(t, list, 1)
		require.Equal(t, "P1", list[0].Update.RequestID)
		require.NoError(t, d.TellingBegins(t.Context(), ms(2), list[0].ID))
		require.NoError(t, d.TellingEnds(t.Context(), ms(2), list[0].ID, outbox.Told, "U-"+list[0].Update.Status, ""))
	}
	require.NoError(t, d.Update(t.Context(), ms(3), id, &open311.Update{ID: "U-closed", RequestID: "P1", Status: "closed", Updated: ms(2)}))
	_, _, err := d.Register.Update(t.Context(), ms(4), id, complaint.NewUpdate{State: complaint.StateVerified, Text: "rusak lagi", By: "t"})
	require.NoError(t, err)
	require.NoError(t, d.Status(t.Context(), ms(5), id, &open311.Request{ID: "P1", Status: open311.Closed, Updated: ms(2)}))
	c, err := d.Complaint(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, complaint.StateVerified, c.State, "their end is the one that was reopened")
	history, err := d.History(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, 1, count(history, "closed"))
	require.NoError(t, d.Seen(t.Context(), ms(5), &open311.Request{ID: "X1", ServiceCode: "KARCIS", Status: open311.Open}))
	all, _, err := d.Complaints(t.Context(), complaint.Query{Services: []string{"no_karcis"}, Limit: 10})
	require.NoError(t, err)
	require.Len(t, all, 1)
}

// An answer given here that they were told is closed at theirs, where there are
// two statuses: here a person closes it. An end that they came to by themselves
// is one.
func TestOurAnswerIsNoEnd(t *testing.T) {
	d := openDesk(t, filepath.Join(t.TempDir(), "complaints.db"))
	ms := func(hours int) int64 { return apitest.Noon.Add(time.Duration(hours) * time.Hour).UnixMilli() }
	for theirs, want := range map[string]complaint.State{"P1": complaint.StateAnswered, "P2": complaint.StateClosed} {
		id := received(t, d, apitest.Noon)
		require.NoError(t, d.Sending(t.Context(), ms(1), id))
		require.NoError(t, d.Sent(t.Context(), ms(1), id, theirs, ""))
		_, u, err := d.Register.Update(t.Context(), ms(2), id, complaint.NewUpdate{State: complaint.StateAnswered, Text: "Diderek", By: "t"})
		require.NoError(t, err)
		if theirs == "P1" {
			require.NoError(t, d.TellingBegins(t.Context(), ms(3), u.ID))
			require.NoError(t, d.TellingEnds(t.Context(), ms(3), u.ID, outbox.Told, "U-1", ""))
		}
		_, _, err = d.Register.Update(t.Context(), ms(4), id, complaint.NewUpdate{Text: "terima kasih", By: "t"})
		require.NoError(t, err)
		for range 2 {
			require.NoError(t, d.Status(t.Context(), ms(5), id, &open311.Request{ID: theirs, Status: open311.Closed, Updated: ms(3)}))
		}
		c, err := d.Complaint(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, want, c.State, theirs)
	}
}
