package intake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/wire"
	"github.com/simpang-id/simpang/internal/wire/native"
)

const sitesJSON = `{"type":"FeatureCollection","features":[{"type":"Feature",
 "geometry":{"type":"Point","coordinates":[107.0,-6.24]},
 "properties":{"id":"s1","name":"Satu","kind":"off_street","kecamatan":"Bekasi Timur","levy":"pbjt","detection":"spots","capacity":{"car":2}}}]}`

// world is a gate over a real journal and quarantine in a folder.
type world struct {
	t         *testing.T
	gate      *Gate
	journal   *journal.Journal
	kept      *journal.Quarantine
	version   *inventory.Version
	now       Instant
	committed []journal.Entry
	fail      error // what the journal answers instead of appending
}

func (w *world) Append(ctx context.Context, entries []journal.Entry) (uint64, error) {
	if w.fail != nil {
		return 0, w.fail
	}
	return w.journal.Append(ctx, entries)
}

func inventoryOf(t *testing.T, devices string) *inventory.Version {
	t.Helper()
	v, faults := inventory.Parse(map[string][]byte{"sites.geojson": []byte(sitesJSON), "devices.csv": []byte(devices)}, time.UTC)
	require.Empty(t, faults)
	return v
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{t: t, now: Instant{Wall: now, Mono: 1}}
	w.version = inventoryOf(t, "id,kind,site,spot\nd,spot,s1,1\nm,meter,s1,\n")
	var err error
	w.journal, err = journal.Open(t.Context(), filepath.Join(dir, "journal"), journal.Options{Zone: time.UTC})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.journal.Close()) })
	w.kept, err = journal.OpenQuarantine(t.Context(), filepath.Join(dir, "quarantine.db"), [32]byte{1}, journal.Limits{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.kept.Close()) })
	w.gate, err = New(Options{
		Journal: w, Quarantine: w.kept, Dedupe: NewDedupe(7 * day), Clock: NewClockGuard(0, 0),
		Plates: NewPlates(filepath.Join(dir, "keys")), Metrics: NewMetrics(prometheus.NewRegistry()), Log: slog.New(slog.DiscardHandler),
		Inventory: func() *inventory.Version { return w.version },
		Limits: func(string) source.Limits {
			return source.Limits{MaxAge: 7 * 24 * time.Hour, MaxAhead: 5 * time.Minute}
		},
		Decode: func(_, device string, raw []byte) wire.Decoded {
			return native.Decode(device, raw)
		},
		Committed: func(e []journal.Entry) { w.committed = append(w.committed, e...) },
	}, 0, 0)
	require.NoError(t, err)
	return w
}

// send steps one native payload through the gate and tells whether it was
// acknowledged.
func (w *world) send(device, payload string) (acked bool) {
	w.t.Helper()
	item := Item{Message: source.Message{
		Source: "b", Device: device, Topic: "sg/v1/" + device + "/up", Payload: []byte(payload),
		Decoded: native.Decode(device, []byte(payload)), Done: func(ok bool) { acked = ok },
	}}
	plan, err := w.gate.Decide(w.t.Context(), w.now, []Item{item})
	require.NoError(w.t, err)
	require.False(w.t, acked, "nothing is acknowledged before the commit")
	require.NoError(w.t, w.gate.Commit(w.t.Context(), plan))
	return acked
}

func (w *world) aside() []journal.Item {
	w.t.Helper()
	items, err := w.kept.List(w.t.Context(), journal.Filter{}, 0, 100)
	require.NoError(w.t, err)
	return items
}

func at(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339Nano) }

func spotJSON(seq string, ms int64, occupied string) string {
	return `{"kind":"spot","boot":1,"seq":` + seq + `,"at":"` + at(ms) + `","occupied":` + occupied + `}`
}

func TestEveryRefusalIsNamedKeptCountedAndAcknowledged(t *testing.T) {
	for name, c := range map[string]struct {
		device, payload string
		reason          city.Reason
	}{
		"unknown device": {"x", spotJSON("1", now, "true"), city.ReasonUnknownDevice},
		"wrong kind":     {"m", spotJSON("1", now, "true"), city.ReasonWrongKind},
		"1970":           {"d", spotJSON("1", 0, "true"), city.ReasonTooOld},
		"2099":           {"d", spotJSON("1", 4_070_908_800_000, "true"), city.ReasonTooFarAhead},
		"not JSON":       {"d", "{", city.ReasonNotJSON},
		"wrong type":     {"d", spotJSON("1", now, `"yes"`), city.ReasonWrongType},
		"eleven years":   {"m", `{"kind":"receipt","boot":1,"seq":1,"at":"` + at(now-11*365*day) + `","receipt":"1","amount":1,"method":"cash"}`, city.ReasonTooOld},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			require.True(t, w.send(c.device, c.payload), "acknowledged")
			items := w.aside()
			require.Len(t, items, 1)
			require.Equal(t, c.reason, items[0].Reason)
			require.NotEmpty(t, items[0].Detail)
			whole, err := w.kept.Get(t.Context(), items[0].ID)
			require.NoError(t, err)
			require.Equal(t, c.payload, string(whole.Raw))
			for _, e := range w.committed {
				require.NotEqual(t, journal.TypeReading, e.Type)
			}
			require.True(t, w.send("d", spotJSON("7", now, "true")), "nothing else suffers")
			require.Equal(t, journal.TypeReading, w.committed[len(w.committed)-1].Type)
		})
	}
}

func TestElementsOfAnArrayStandAlone(t *testing.T) {
	w := newWorld(t)
	require.True(t, w.send("d", "["+spotJSON("1", now, "true")+","+spotJSON("2", 0, "true")+`,{"kind":"spot"},`+spotJSON("1", now, "true")+"]"))
	require.Len(t, w.committed, 2)
	require.Equal(t, uint64(1), w.committed[0].Reading.Seq)
	tally := w.committed[1].Tally
	require.Equal(t, uint32(1), tally.Duplicates)
	require.Len(t, tally.Quarantined, 2)
	items := w.aside()
	require.Len(t, items, 2)
	for _, i := range items {
		if i.Reason == city.ReasonTooOld {
			whole, err := w.kept.Get(t.Context(), i.ID)
			require.NoError(t, err)
			require.JSONEq(t, spotJSON("2", 0, "true"), string(whole.Raw), "only the element is kept")
		}
	}
}

func TestALateReceiptIsTakenAndFlagged(t *testing.T) {
	w := newWorld(t)
	require.True(t, w.send("m", `{"kind":"receipt","boot":1,"seq":1,"at":"`+at(now-400*day)+`","receipt":"1","amount":3000,"method":"cash","plate":"B 1234 XY"}`))
	require.Len(t, w.committed, 1)
	e := w.committed[0]
	require.Equal(t, journal.FlagLate, e.Flags)
	require.Equal(t, now-400*day, e.Reading.At, "never restamped")
	require.Empty(t, e.Reading.Receipt.Plate)
	require.Len(t, e.Reading.Receipt.PlateHash, plateHashSize)
}

func TestNothingIsAcknowledgedWhileTheDiskIsFull(t *testing.T) {
	w := newWorld(t)
	w.fail = errors.New("disk full")
	acked := false
	payload := []byte(spotJSON("1", now, "true"))
	plan, err := w.gate.Decide(w.t.Context(), w.now, []Item{{Message: source.Message{Device: "d", Payload: payload, Decoded: native.Decode("d", payload), Done: func(ok bool) { acked = ok }}}})
	require.NoError(t, err)
	require.Error(t, w.gate.Commit(t.Context(), plan))
	require.False(t, acked)
	require.Empty(t, w.committed)
	w.fail = nil
	require.NoError(t, w.gate.Commit(t.Context(), plan), "the same plan is committed when there is room")
	require.True(t, acked)
	require.Equal(t, uint64(2), w.committed[0].Pos, "after the day's first entry")
}

func TestRetryTakesItOnceWithItsFirstReceiveTime(t *testing.T) {
	w := newWorld(t)
	require.True(t, w.send("late-joiner", spotJSON("1", now, "true")))
	retry := func() (v Verdict) {
		item, err := w.kept.Get(t.Context(), w.aside()[0].ID)
		require.NoError(t, err)
		plan, err := w.gate.Decide(w.t.Context(), w.now, []Item{{Command: &Command{Retry: &item, Done: func(_ uint64, got Verdict, err error) {
			require.NoError(t, err)
			v = got
		}}}})
		require.NoError(t, err)
		require.NoError(t, w.gate.Commit(t.Context(), plan))
		return v
	}
	w.now = Instant{Wall: now + 20*day, Mono: 1 + 20*day}
	require.Equal(t, city.ReasonUnknownDevice, retry().Reason)
	w.version = inventoryOf(t, "id,kind,site,spot\nd,spot,s1,1\nlate-joiner,spot,s1,2\n")
	require.True(t, retry().Accepted)
	require.True(t, retry().Duplicate, "twice is once")
	require.Len(t, w.committed, 1)
	require.Equal(t, now, w.committed[0].Recv)
	require.True(t, w.aside()[0].Retried)
}

// What came under another device's topic, or under none, is nobody's reading: a
// retry does not make it one of the device that logged in.
func TestRetryTakesNothingForADeviceThatTheTopicDoesNotName(t *testing.T) {
	w := newWorld(t)
	for _, reason := range []city.Reason{city.ReasonDeviceMismatch, city.ReasonBadTopic} {
		item := &journal.Item{
			ID: 1, Recv: now, Source: "b", Device: "m", Topic: "sg/v1/other/up", Reason: reason,
			Raw: []byte(`{"kind":"receipt","seq":1,"at":"` + at(now) + `","receipt":"A-1","amount":5000,"method":"cash"}`),
		}
		var got Verdict
		plan, err := w.gate.Decide(t.Context(), w.now, []Item{{Command: &Command{Retry: item, Done: func(_ uint64, v Verdict, _ error) { got = v }}}})
		require.NoError(t, err)
		require.NoError(t, w.gate.Commit(t.Context(), plan))
		require.False(t, got.Accepted)
		require.Equal(t, reason, got.Reason)
		require.NotEmpty(t, got.Detail)
	}
	require.Empty(t, w.committed)
}

func TestOurOwnClock(t *testing.T) {
	w := newWorld(t)
	build := now - 10*day
	w.gate.o.Clock = NewClockGuard(build, now)
	item := []Item{{Command: &Command{Entries: []journal.Entry{{Type: journal.TypeTick}}, Done: func(uint64, Verdict, error) {}}}}
	check := func(i Instant, want string) {
		t.Helper()
		_, err := w.gate.Decide(t.Context(), i, item)
		if want == "" {
			require.NoError(t, err)
			return
		}
		var clock *ClockError
		require.ErrorAs(t, err, &clock)
		require.ErrorContains(t, err, want)
		require.NotEmpty(t, w.gate.o.Clock.Fault(i))
	}
	check(Instant{0, 1}, "before this program was built")
	check(Instant{now - 301_000, 2}, "before the newest commit")
	check(Instant{now - 299_000, 3}, "")
	check(Instant{now + 10*60_000, 4}, "jumped")
	check(Instant{now - 299_000 + 60_000, 60_003}, "")
	check(Instant{now + day, 60_004}, "jumped")
	w.gate.o.Clock.Accept(Instant{now + day, 60_004})
	check(Instant{now + day, 60_005}, "")
	check(Instant{now + day + 1000, 61_005}, "")
	check(Instant{now, 61_006}, "before the newest commit")
}

func TestTheMemorySurvivesARestart(t *testing.T) {
	w := newWorld(t)
	store, err := OpenStore(t.Context(), filepath.Join(t.TempDir(), "dedupe.db"))
	require.NoError(t, err)
	require.True(t, w.send("d", spotJSON("1", now, "true")))
	require.NoError(t, store.Save(t.Context(), w.gate.Image()))
	require.True(t, w.send("d", spotJSON("2", now, "true")))

	again := NewDedupe(7 * day)
	pos, err := store.Load(t.Context(), again)
	require.NoError(t, err)
	require.Equal(t, w.committed[0].Pos, pos)
	require.NoError(t, again.Replay(t.Context(), w.journal, pos))
	for seq := uint64(1); seq <= 2; seq++ {
		require.True(t, again.Judge(booted(1, seq, now, true), now).Duplicate)
	}
	require.True(t, again.Judge(booted(1, 3, now, true), now).Accepted)
	require.NoError(t, store.Close())
}

func TestTheQueueIsBounded(t *testing.T) {
	q := NewQueue(2, 1<<20)
	require.NoError(t, q.Offer(t.Context(), source.Message{}))
	require.NoError(t, q.Offer(t.Context(), source.Message{}))
	full, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, q.Offer(full, source.Message{}), context.Canceled)
	blocked := make(chan error)
	go func() { blocked <- q.Offer(t.Context(), source.Message{Source: "third"}) }()
	items, err := q.Take(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, items, 2)
	require.NoError(t, <-blocked, "room was made")
	q.Close()
	require.ErrorIs(t, q.Offer(t.Context(), source.Message{}), ErrClosed)
	items, err = q.Take(t.Context(), items)
	require.NoError(t, err, "what waits is still taken")
	require.Equal(t, "third", items[0].Message.Source)
	_, err = q.Take(t.Context(), items)
	require.ErrorIs(t, err, ErrClosed)
}

func TestTheQueueCountsWhatAnArrayOfManyElementsHolds(t *testing.T) {
	q := NewQueue(1000, 16<<20)
	payload := []byte("[{}" + strings.Repeat(",{}", 20_000) + "]")
	full, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	taken := 0
	for q.Offer(full, source.Message{Payload: payload, Decoded: native.Decode("d", payload)}) == nil {
		taken++
	}
	require.Less(t, taken, 5)
}

func TestAnOldReceiptIsComparedWithTheBooks(t *testing.T) {
	w := newWorld(t)
	books := map[uint64][16]byte{}
	var closed error
	w.gate.o.Books = func(_ context.Context, r *city.Reading) ([16]byte, bool, error) {
		hash, ok := books[r.Seq]
		return hash, ok, closed
	}
	receipt := func(seq int, amount string) string {
		return fmt.Sprintf(`{"kind":"receipt","boot":1,"seq":%d,"at":%q,"receipt":"%d","amount":%s,"method":"cash"}`, seq, at(now), seq, amount)
	}
	for seq := 1; seq <= recentSize+10; seq++ {
		require.True(t, w.send("m", receipt(seq, "3000")))
	}
	for _, e := range w.committed {
		books[e.Reading.Seq] = journal.ContentHash(e.Reading)
	}
	taken := len(w.committed)
	require.True(t, w.send("m", receipt(2, "3000")))
	require.Empty(t, w.aside(), "a repeat")
	require.True(t, w.send("m", receipt(2, "9000")))
	require.Equal(t, city.ReasonSequenceConflict, w.aside()[0].Reason)
	closed = errors.New("the disk is away")
	require.True(t, w.send("m", receipt(3, "9000")))
	require.Equal(t, city.ReasonForgotten, w.aside()[1].Reason, "who cannot tell does not guess")
	for _, e := range w.committed[taken:] {
		require.Equal(t, journal.TypeTally, e.Type)
	}
}

// An image that is written while the gate goes on holds no reading that was not
// committed, and with a replay of the journal all that were.
func TestAnImageIsWrittenWhileTheGateGoesOn(t *testing.T) {
	w := newWorld(t)
	store, err := OpenStore(t.Context(), filepath.Join(t.TempDir(), "dedupe.db"))
	require.NoError(t, err)
	defer store.Close()
	require.True(t, w.send("d", spotJSON("1", now, "true")))
	image := w.gate.Image()
	require.True(t, w.send("d", spotJSON("2", now, "true")))

	more, waits := image.more, make(chan struct{})
	image.more = func(to *states) error {
		close(waits)
		return more(to)
	}
	p, err := w.gate.Decide(t.Context(), Instant{now, 1}, []Item{{Message: source.Message{
		Source: "s", Device: "d", Decoded: native.Decode("d", []byte(spotJSON("3", now, "true"))), Done: func(bool) {},
	}}})
	require.NoError(t, err)
	saved := make(chan error, 1)
	go func() { saved <- store.Save(t.Context(), image) }()
	<-waits
	select {
	case err := <-saved:
		t.Fatal("saved what was decided and not committed", err)
	case <-time.After(20 * time.Millisecond):
	}
	p.Abandon(ErrClosed)
	require.ErrorIs(t, <-saved, ErrClosed)
	pos, err := store.Load(t.Context(), NewDedupe(7*day))
	require.NoError(t, err)
	require.Zero(t, pos, "nothing was saved")
}

func TestALateImageAndAReplayAreTheMemory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		live := NewDedupe(day)
		hear := func(d *Dedupe, seq uint64) {
			d.Judge(booted(seq/100%3+1, seq%100, now+int64(seq), true), now+int64(seq))
		}
		said := rapid.SliceOfN(rapid.Uint64Range(0, 400), 1, 120).Draw(t, "said")
		begun := rapid.IntRange(0, len(said)).Draw(t, "begun")
		encoded := rapid.IntRange(begun, len(said)).Draw(t, "encoded")
		var ids []string
		var some states
		for i := 0; i <= len(said); i++ {
			if i == begun {
				_, ids = live.beginImage(0)
			}
			if i == encoded {
				if err := live.encodeSome(&some, ids); err != nil {
					t.Fatal(err)
				}
			}
			if i < len(said) {
				hear(live, said[i])
			}
		}
		again := NewDedupe(day)
		for id, state := range some.all() {
			m, err := decodeMemory(state)
			if err != nil {
				t.Fatal(err)
			}
			again.devices[id] = m
			for _, run := range m.runs {
				again.now = max(again.now, run.lastRecv)
			}
		}
		for _, seq := range said[begun:] {
			hear(again, seq)
		}
		for seq := range uint64(401) {
			r := booted(seq/100%3+1, seq%100, now+int64(seq), true)
			if a, b := live.Judge(r, now+1000), again.Judge(r, now+1000); a != b {
				t.Fatalf("seq %d: %+v, after the replay %+v", seq, a, b)
			}
		}
	})
}
