package intake

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

func TestRepeatOfAnOlderRunBelowTheNewOnesBegin(t *testing.T) {
	d := NewDedupe(7 * day)
	for seq := uint64(1); seq <= 100; seq++ {
		require.True(t, d.Judge(spot(seq, now+int64(seq)*1000, true), now).Accepted)
	}
	for seq := uint64(30); seq <= 99; seq++ {
		require.True(t, d.Judge(spot(seq, now+200_000+int64(seq)*1000, true), now).Accepted)
	}
	require.False(t, d.Judge(spot(20, now+20_000, true), now).Accepted, "taken twice")
}

func TestRepeatOfADroppedRunWithoutBoot(t *testing.T) {
	d := NewDedupe(7 * day)
	at := now
	next := func(seq uint64) {
		at += 1000
		require.True(t, d.Judge(spot(seq, at, true), now).Accepted)
	}
	for seq := uint64(1); seq <= 100; seq++ {
		next(seq)
	}
	for range maxRuns + 5 {
		for seq := uint64(1); seq <= 5; seq++ {
			next(seq)
		}
	}
	require.False(t, d.Judge(spot(50, now+50_000, true), now).Accepted, "taken twice")
}

func TestRepeatAfterTheDevicesClockWasSetBack(t *testing.T) {
	d := NewDedupe(7 * day)
	at := func(seq uint64) int64 {
		if seq <= 40 {
			return now + int64(seq)*1000
		}
		return now + int64(seq)*1000 - 240_000
	}
	for seq := uint64(1); seq <= 200; seq++ {
		require.Equal(t, fresh, d.Judge(spot(seq, at(seq), true), now))
	}
	for seq := uint64(1); seq <= 200; seq++ {
		require.False(t, d.Judge(spot(seq, at(seq), true), now).Accepted, "%d taken twice", seq)
	}
}

func TestAMetersHealthDoesNotForgetItsReceipts(t *testing.T) {
	d := NewDedupe(7 * day)
	receipt := func(boot, seq uint64) *city.Reading {
		return &city.Reading{Device: "m", Kind: city.KindReceipt, HasBoot: true, Boot: boot, Seq: seq, At: now, Receipt: &city.Receipt{Number: "1"}}
	}
	require.True(t, d.Judge(receipt(1, 1), now).Accepted)
	health := &city.Reading{Device: "m", Kind: city.KindHealth, HasBoot: true, Boot: 2, Seq: 1, At: now + 8*day, Health: &city.Health{}}
	require.True(t, d.Judge(health, now+8*day).Accepted)
	require.False(t, d.Judge(receipt(1, 1), now+8*day).Accepted, "the money is taken twice")
}

func TestARetryDoesNotAgeARun(t *testing.T) {
	d := NewDedupe(7 * day)
	later := now + 20*day
	require.True(t, d.Judge(booted(1, 2, later, true), later).Accepted)
	require.True(t, d.Judge(booted(1, 1, now, true), now).Accepted, "retried, with its first receive time")
	require.True(t, d.Judge(booted(2, 1, later, true), later).Accepted)
	require.False(t, d.Judge(booted(1, 2, later, true), later).Accepted, "taken twice")
	require.False(t, d.Judge(booted(1, 1, now, true), now).Accepted, "twice is once")
}

func TestARetriedRunIsRemembered(t *testing.T) {
	d := NewDedupe(7 * day)
	later := now + 20*day
	require.True(t, d.Judge(booted(5, 1, later, true), later).Accepted)
	require.True(t, d.Judge(booted(1, 1, now, true), now).Accepted, "retried")
	require.True(t, d.Judge(booted(6, 1, later, true), later).Accepted)
	require.False(t, d.Judge(booted(1, 1, now, true), now).Accepted, "retried twice is once")
	much := later + 9*day
	require.True(t, d.Judge(booted(7, 1, much, true), much).Accepted)
	require.False(t, d.Judge(booted(1, 1, now, true), now).Accepted, "long after too")
}

func TestAnchorsAreBoundedAlsoBackwards(t *testing.T) {
	d := NewDedupe(7 * day)
	for i := range int64(200_000) {
		d.Judge(spot(uint64(1_000_000-i), now-i, true), now)
	}
	require.LessOrEqual(t, len(d.devices["d"].runs[0].anchors), maxAnchors+1)
}

// said is one thing that a device without boot said.
type said struct {
	seq uint64
	at  int64
}

// TestWithoutBootAgainstASlowModel lets a device without boot speak through
// several runs, with readings lost and late and repeats of anything that it
// ever said: what is new is taken, and nothing is taken twice. Where its clock
// is set back, too, nothing is taken twice either.
func TestWithoutBootAgainstASlowModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := NewDedupe(7 * day)
		backwards := rapid.Bool().Draw(t, "backwards")
		taken, everSaid := map[said]bool{}, map[said]bool{}
		var all, held []said
		hear := func(r said) {
			v := d.Judge(spot(r.seq, r.at, true), now)
			switch {
			case v.Accepted && taken[r]:
				t.Fatalf("%d at %d was taken twice", r.seq, r.at-now)
			case v.Accepted:
				taken[r] = true
				all = append(all, r)
			case !backwards && !taken[r]:
				t.Fatalf("%d at %d is new and was judged %+v", r.seq, r.at-now, v)
			}
		}
		seq, at := rapid.Uint64Range(0, 200).Draw(t, "first"), now
		for range rapid.IntRange(1, 400).Draw(t, "n") {
			event := rapid.IntRange(0, 60).Draw(t, "event")
			switch {
			case event == 0: // a reboot
				seq, at = rapid.Uint64Range(0, seq).Draw(t, "seq"), at+5000
			case event == 1 && backwards:
				at -= rapid.Int64Range(0, 60_000).Draw(t, "back")
			case event <= 3: // lost
				seq, at = seq+rapid.Uint64Range(1, 90).Draw(t, "lost"), at+1000
			case event <= 12 && len(all) > 0:
				hear(all[rapid.IntRange(0, len(all)-1).Draw(t, "repeat")])
				continue
			}
			seq, at = seq+1, at+1000
			r := said{seq, at}
			if everSaid[r] {
				continue
			}
			everSaid[r] = true
			held = append(held, r)
			for len(held) > 0 && (len(held) > 8 || rapid.IntRange(0, 9).Draw(t, "now") > 0) {
				i := 0
				if rapid.IntRange(0, 9).Draw(t, "out of order") == 0 {
					i = rapid.IntRange(0, len(held)-1).Draw(t, "which")
				}
				r := held[i]
				held = append(held[:i], held[i+1:]...)
				hear(r)
			}
			if rapid.IntRange(0, 20).Draw(t, "store") == 0 {
				for device, state := range images(d) {
					m, err := decodeMemory(state)
					if err != nil {
						t.Fatal(err)
					}
					d.devices[device] = m
				}
			}
		}
	})
}

func TestAReplayKnowsWhatTheLiveMemoryKnew(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		live, replayed := NewDedupe(day), NewDedupe(day)
		recv := now
		store := rapid.IntRange(0, 200).Draw(t, "store")
		for i := range 200 {
			if i == store { // a stop: the memory goes through its stored form
				for device, state := range images(live) {
					m, err := decodeMemory(state)
					if err != nil {
						t.Fatal(err)
					}
					replayed.devices[device] = m
					for _, run := range m.runs {
						replayed.now = max(replayed.now, run.lastRecv)
					}
				}
			}
			recv += rapid.Int64Range(0, day/8).Draw(t, "pause")
			r := spot(rapid.Uint64Range(0, 20).Draw(t, "seq"), recv-rapid.Int64Range(0, day).Draw(t, "late"), true)
			r.HasBoot, r.Boot = rapid.Bool().Draw(t, "booted"), rapid.Uint64Range(0, 5).Draw(t, "boot")
			if !r.HasBoot {
				r.Boot = 0
			}
			as := recv
			if rapid.IntRange(0, 9).Draw(t, "retried") == 0 {
				as = recv - 2*day
			}
			v := live.Judge(r, as)
			if i >= store && v.Accepted {
				if again := replayed.Judge(r, as); again != v {
					t.Fatalf("live %+v, replayed %+v", v, again)
				}
			}
		}
		if store == 200 {
			return
		}
		for id, m := range live.devices {
			if a, b := encodeMemory(nil, m), encodeMemory(nil, replayed.devices[id]); string(a) != string(b) {
				t.Fatalf("another memory after a replay")
			}
		}
	})
}

// A run begins with its first reading also where that is late.
func TestARunWhoseFirstReadingIsLate(t *testing.T) {
	d := NewDedupe(7 * day)
	for seq := uint64(1); seq <= 100; seq++ {
		require.True(t, d.Judge(spot(seq, now+int64(seq)*1000, true), now).Accepted)
	}
	began := Verdict{Accepted: true, Flags: journal.FlagNewRun}
	require.Equal(t, began, d.Judge(spot(2, now+202_000, true), now))
	require.Equal(t, fresh, d.Judge(spot(3, now+203_000, true), now))
	require.Equal(t, began, d.Judge(spot(1, now+201_000, true), now), "it began here")
}

// While a device's every reading is among the last ones, it is known whether
// one is new, however late its runs came in (found by internal/world, seed 55).
func TestAsLongAsAllIsRememberedNothingIsForgotten(t *testing.T) {
	d := NewDedupe(7 * day)
	for _, x := range [][2]int64{
		{1, 8057071},
		{2, 8117071},
		{3, 8177071},
		{0, 7997071},
		{2, 250}, // of the run before, taken up late
		{3, 8381149},
		{5, 8459542},
		{5, 8313001},
		{3, 73271343},
		{4, 73271593},
		{2, 73271093},
		{4, 8277554},
		{5, 94965935},
		{1, 0},
		{6, 95088781},
		{4, 8441149}, // lies between 3 and 5 of their run, which took 4 at another time
	} {
		r := spot(uint64(x[0]), now-2*day+x[1], true)
		require.True(t, d.Judge(r, now).Accepted, "%v", x)
		require.True(t, d.Judge(r, now).Duplicate, "%v", x)
	}
}

// A device was offline over a reboot and sends what it kept between what it
// measures now: that is one run more, and each goes on in its own.
func TestARunThatComesLateAndWhole(t *testing.T) {
	for _, size := range [][3]int{{100, 500, 400}, {100, 100, 400}, {50, 300, 300}} {
		for _, every := range []int{1, 2, 5} {
			d := NewDedupe(7 * day)
			at, began := now, 0
			say := func(n int) (run []said) {
				at += 5000
				for seq := range uint64(n) {
					at += 1000
					run = append(run, said{seq + 1, at})
				}
				return run
			}
			hear := func(r said) {
				v := d.Judge(spot(r.seq, r.at, true), now)
				require.True(t, v.Accepted, "%d at %d: %+v", r.seq, r.at-now, v)
				if v.Flags == journal.FlagNewRun {
					began++
				}
			}
			before, kept, present := say(size[0]), say(size[1]), say(size[2])
			for _, r := range before {
				hear(r)
			}
			for i, r := range present {
				hear(r)
				if i >= 50 && i%every == 0 && len(kept) > 0 {
					hear(kept[0])
					kept = kept[1:]
				}
			}
			for _, r := range kept {
				hear(r)
			}
			require.Equal(t, 2, began, "%v, every %d", size, every)
			require.Len(t, d.devices["d"].runs, 3)
		}
	}
}
