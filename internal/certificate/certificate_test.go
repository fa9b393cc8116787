package certificate_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/certificate"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

const (
	monday  = "2026-03-02"
	tuesday = "2026-03-03"
)

func aside(boot, seq uint64, at int64) journal.Quarantined {
	return journal.Quarantined{HasSeq: true, HasBoot: true, Boot: boot, Seq: seq, At: at, Reason: city.ReasonImpossible}
}

// town has a device with gaps, one over LoRaWAN that is whole, and one that is
// silent, in two places.
func town(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, "d,a,,600", "l,a,0011223344556677,3600", "s,b,,600")
	w.tick(begin)
	for seq := uint64(1); seq <= 10; seq++ {
		at := begin + int64(seq)*10*minute
		w.tick(at)
		if seq != 4 && seq != 5 && seq != 9 {
			w.sent("d", 1, seq, at)
		}
		w.sent("l", 1, seq, at)
	}
	w.tally("d", 2, aside(1, 9, begin+90*minute))
	return w
}

// TestADayIsClosedWhenItsLateWindowEnds: not before, and then with what health
// knows, chained by hashes up to the day's list.
func TestADayIsClosedWhenItsLateWindowEnds(t *testing.T) {
	t.Parallel()
	w := town(t)
	end := begin + 12*hour
	w.tick(end + window - 1)
	w.work()
	require.Equal(t, certificate.State{Known: true, ClosesAt: end + window}, w.f.State(monday))
	_, err := w.f.Device(t.Context(), "d", monday, 0)
	require.Equal(t, city.KindNotFound, city.KindOf(err))
	draft, err := w.f.Draft(t.Context(), certificate.SiteKey("a"), monday)
	require.NoError(t, err)
	require.Zero(t, decode[certificate.PlaceDay](t, draft.Bytes).Revision)

	w.tick(end + window)
	w.work()
	require.Equal(t, certificate.State{Known: true, Closed: true, ClosesAt: end + window}, w.f.State(monday))

	d, keptD := w.device("d", monday, 0)
	require.Equal(t, certificate.Counts{Expected: new(int64(10)), Received: 7, Duplicate: 2, Quarantined: 1, Missing: new(int64(2))}, d.Counts)
	boot := uint64(1)
	require.Equal(t, []certificate.Missed{{Boot: &boot, FromSeq: 4, ToSeq: 5}}, d.Gaps)
	require.Equal(t, certificate.BySequence, d.Basis)
	require.Equal(t, new(int64(144)), d.ByInterval)
	require.Equal(t, certificate.Head{
		Format: certificate.Format, City: "bekasi", Date: monday, Revision: 1, Position: w.pos,
		AsOf: time.UnixMilli(w.now).In(zone).Format(time.RFC3339), Inventory: w.timeline.Newest(w.pos).Hash,
	}, d.Head)

	l, keptL := w.device("l", monday, 0)
	require.Equal(t, certificate.ByFrames, l.Basis)
	require.Equal(t, new(int64(0)), l.Missing)

	s, _ := w.device("s", monday, 0)
	require.Equal(t, certificate.ByNothing, s.Basis)
	require.Nil(t, s.Expected, "what a silent device should have sent is not known")
	require.Nil(t, s.Missing)

	a, keptA := w.place("site/a", monday, 0)
	require.Equal(t, []certificate.PlaceDevice{
		{Device: "d", Part: certificate.Part{Revision: 1, SHA256: keptD.SHA256}, Basis: d.Basis, Counts: d.Counts, GapCount: 1},
		{Device: "l", Part: certificate.Part{Revision: 1, SHA256: keptL.SHA256}, Basis: l.Basis, Counts: l.Counts},
	}, a.List)
	require.Equal(t, certificate.Totals{Devices: 2, Counts: certificate.Counts{Expected: new(int64(20)), Received: 17, Duplicate: 2, Quarantined: 1, Missing: new(int64(2))}}, a.Totals)
	b, keptB := w.place("site/b", monday, 0)
	require.Equal(t, int64(1), b.Unknown)
	require.Nil(t, b.Expected)

	c, _ := w.city(monday, 0)
	require.Len(t, c.List, 2)
	require.Equal(t, []string{keptA.SHA256, keptB.SHA256}, []string{c.List[0].SHA256, c.List[1].SHA256})
	require.Equal(t, int64(3), c.Devices)
	require.Equal(t, int64(1), c.Unknown)
}

// TestWhatComesLaterIsARevision: numbered, naming the one before, which stays;
// the gap of the day after closes too, and who is not concerned is not revised.
func TestWhatComesLaterIsARevision(t *testing.T) {
	t.Parallel()
	w := town(t)
	w.tick(begin + day)
	w.sent("d", 1, 16, begin+day) // 11 to 15 are missing on Tuesday
	w.tick(begin + 2*day + window)
	w.work()
	before, kept := w.device("d", tuesday, 0)
	require.Equal(t, new(int64(5)), before.Missing)
	_, cityKept := w.city(tuesday, 0)
	_, first := w.device("d", monday, 1)

	for seq := uint64(11); seq <= 15; seq++ {
		w.sent("d", 1, seq, begin+2*hour)
	}
	w.work()
	_, same := w.device("d", monday, 0)
	require.Equal(t, int64(1), same.Newest, "a day has one revision a day at most")

	w.tick(w.now + day)
	w.work()
	d, second := w.device("d", monday, 0)
	require.Equal(t, int64(2), d.Revision)
	require.Equal(t, first.SHA256, d.Before)
	require.Equal(t, int64(12), d.Received)
	require.Equal(t, w.pos, d.Position)
	_, again := w.device("d", monday, 1)
	require.Equal(t, first.Bytes, again.Bytes)
	require.Equal(t, int64(2), again.Newest)

	x, _ := w.device("d", tuesday, 0)
	require.Equal(t, int64(2), x.Revision)
	require.Equal(t, new(int64(0)), x.Missing)
	require.Equal(t, kept.SHA256, x.Before)
	l, _ := w.device("l", monday, 0)
	require.Equal(t, int64(1), l.Revision)
	b, _ := w.place("site/b", monday, 0)
	require.Equal(t, int64(1), b.Revision)
	a, _ := w.place("site/a", monday, 0)
	require.Equal(t, int64(2), a.Revision)
	require.Equal(t, second.SHA256, a.List[0].SHA256)
	require.Equal(t, int64(1), a.List[1].Revision)
	c, _ := w.city(tuesday, 0)
	require.Equal(t, int64(2), c.Revision)
	require.Equal(t, cityKept.SHA256, c.Before)

	w.tick(w.now + day)
	w.work()
	_, still := w.device("d", monday, 0)
	require.Equal(t, int64(2), still.Newest, "nothing came")
}

// TestWhatIsKept: certificates outlive health's days and go after their
// retention.
func TestWhatIsKept(t *testing.T) {
	t.Parallel()
	w := town(t)
	w.keep = 30 * 24 * time.Hour
	w.crash()
	w.tick(begin + 20*day)
	w.work()
	w.device("d", monday, 0)
	w.tick(begin + 32*day)
	w.work()
	_, err := w.f.Device(t.Context(), "d", monday, 0)
	require.Equal(t, city.KindNotFound, city.KindOf(err))
	_, _, err = w.f.City(t.Context(), monday, 0)
	require.Equal(t, city.KindNotFound, city.KindOf(err))
	w.device("d", "2026-03-20", 0)
}

// TestListsAreBookedOnce: each revision of a day's list waits until its entry
// is noted.
func TestListsAreBookedOnce(t *testing.T) {
	t.Parallel()
	w := town(t)
	w.tick(begin + 12*hour + window)
	w.work()
	list, err := w.f.Unbooked(t.Context())
	require.NoError(t, err)
	_, kept := w.city(monday, 0)
	require.Equal(t, []certificate.Listed{{Date: monday, Revision: 1, Places: 2, Devices: 3, SHA256: kept.SHA256}}, list)
	require.NoError(t, w.f.Booked(t.Context(), monday, 1, 42))
	w.crash()
	list, err = w.f.Unbooked(t.Context())
	require.NoError(t, err)
	require.Empty(t, list)
	again, entry, err := w.f.City(t.Context(), monday, 0)
	require.NoError(t, err)
	require.Equal(t, int64(42), entry)
	require.Equal(t, kept.SHA256, again.SHA256)

	require.Zero(t, w.f.Unproved())
	for i, mark := range []int64{certificate.OtherHash, certificate.HashRefused} {
		w.sent("d", 1, uint64(20+i), begin)
		w.tick(w.now + day)
		w.work()
		list, err = w.f.Unbooked(t.Context())
		require.NoError(t, err)
		require.NotEmpty(t, list)
		for _, l := range list {
			require.NoError(t, w.f.Booked(t.Context(), l.Date, l.Revision, mark))
		}
		list, err = w.f.Unbooked(t.Context())
		require.NoError(t, err)
		require.Empty(t, list, "it is not tried again")
		_, entry, err = w.f.City(t.Context(), monday, 0)
		require.NoError(t, err)
		require.Equal(t, mark, entry)
		before := w.f.Unproved()
		require.Positive(t, before)
		w.crash()
		require.Equal(t, before, w.f.Unproved())
	}
}
