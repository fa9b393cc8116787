package intake

import (
	"fmt"
	"iter"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

const (
	day = int64(24 * 3600 * 1000)
	now = int64(1_790_000_000_000)
)

var (
	fresh     = Verdict{Accepted: true}
	known     = Verdict{Duplicate: true}
	conflict  = Verdict{Reason: city.ReasonSequenceConflict}
	forgotten = Verdict{Reason: city.ReasonForgotten}
	newRun    = Verdict{Accepted: true, Flags: journal.FlagNewRun}
)

func spot(seq uint64, at int64, occupied bool) *city.Reading {
	return &city.Reading{Device: "d", Kind: city.KindSpot, Seq: seq, At: at, Spot: &city.Spot{Occupied: occupied}}
}

func booted(boot, seq uint64, at int64, occupied bool) *city.Reading {
	r := spot(seq, at, occupied)
	r.HasBoot, r.Boot = true, boot
	return r
}

func TestIdentityWithBoot(t *testing.T) {
	d := NewDedupe(7 * day)
	judge := func(r *city.Reading, want Verdict, why string) {
		t.Helper()
		got := d.Judge(r, now)
		got.old = false
		require.Equal(t, want, got, why)
	}
	judge(booted(1, 5, now, true), fresh, "a run may begin anywhere")
	judge(booted(1, 5, now, true), known, "the same again")
	judge(booted(1, 5, now, false), conflict, "same identity, other content")
	judge(booted(1, 5, now+1, true), conflict, "same identity, other time")
	judge(booted(1, 4, now, true), fresh, "late within the run")
	judge(booted(2, 5, now, true), fresh, "another boot is another run")
	judge(booted(1, math.MaxUint64, now, true), fresh, "the highest number")
	judge(booted(1, math.MaxUint64, now, true), known, "the highest number again")
	judge(booted(1, 0, now, true), fresh, "zero")
	for seq := uint64(10); seq < 200; seq++ {
		judge(booted(1, seq, now, true), fresh, "growing")
	}
	judge(booted(1, 10, now, false), known, "older than the last 64: a repeat, whatever it says")
}

func TestIdentityWithoutBoot(t *testing.T) {
	d := NewDedupe(7 * day)
	judge := func(r *city.Reading, want Verdict, why string) {
		t.Helper()
		got := d.Judge(r, now)
		got.old = false
		require.Equal(t, want, got, why)
	}
	for seq := uint64(1); seq <= 100; seq++ {
		judge(spot(seq, now+int64(seq)*1000, true), fresh, "growing")
	}
	judge(spot(100, now+100_000, true), known, "the same again")
	judge(spot(100, now+100_000, false), conflict, "same identity, other content")
	judge(spot(3, now+3000, true), known, "older than the last 64")
	judge(spot(1, now+200_000, true), newRun, "a lower seq with a later at begins a run")
	judge(spot(1, now+200_000, true), known, "and is known then")
	judge(spot(2, now+201_000, true), fresh, "the new run goes on")
	judge(spot(101, now+101_000, true), fresh, "a late one of the old run")
	judge(spot(2, now+300_000, true), newRun, "the same seq later is another identity")
	judge(spot(7, now+299_000, true), fresh, "higher, with the clock set back a little")
}

func TestWhatIsForgottenIsNeverGuessed(t *testing.T) {
	d := NewDedupe(7 * day)
	for i := range uint64(maxSpans + 10) {
		require.Equal(t, fresh, d.Judge(booted(1, i*2, now, true), now))
	}
	require.Equal(t, forgotten, d.Judge(booted(1, 1, now, true), now), "below the floor")
	require.Equal(t, fresh, d.Judge(booted(1, maxSpans+11, now, true), now), "a hole above it")
	for boot := range uint64(maxRuns + 5) {
		require.Equal(t, fresh, d.Judge(booted(boot+10, 1, now, true), now))
	}
	require.Equal(t, forgotten, d.Judge(booted(11, 1, now, true), now), "a boot that was dropped")
}

func TestSilentRunsAgeOut(t *testing.T) {
	d := NewDedupe(7 * day)
	require.True(t, d.Judge(booted(1, 1, now, true), now).Accepted)
	require.True(t, d.Judge(booted(2, 1, now, true), now+8*day).Accepted)
	require.Len(t, d.devices["d"].runs, 1)
	meter := &city.Reading{Device: "m", Kind: city.KindReceipt, HasBoot: true, Boot: 1, At: now, Receipt: &city.Receipt{Number: "1"}}
	require.True(t, d.Judge(meter, now).Accepted)
	later := *meter
	later.Boot, later.At = 2, now+400*day
	require.True(t, d.Judge(&later, now+400*day).Accepted)
	require.True(t, d.Judge(meter, now+400*day).Duplicate, "meters are remembered as long as the books")
}

// TestAgainstASlowModel sends readings of several boots in any order, with
// repeats and forgeries, stores and loads the memory in between, and compares
// with a map of everything.
func TestAgainstASlowModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := NewDedupe(7 * day)
		model := map[string]bool{}
		for range rapid.IntRange(1, 300).Draw(t, "n") {
			boot := rapid.Uint64Range(0, 3).Draw(t, "boot")
			seq := rapid.Uint64Range(0, 40).Draw(t, "seq")
			occupied := rapid.Bool().Draw(t, "occupied")
			got := d.Judge(booted(boot, seq, now+int64(seq), occupied), now)
			id := fmt.Sprintf("%d:%d", boot, seq)
			first, seen := model[id]
			switch {
			case !seen:
				model[id] = occupied
				if got != fresh {
					t.Fatalf("%s is new and was judged %+v", id, got)
				}
			case got.Accepted:
				t.Fatalf("%s was taken twice", id)
			case first == occupied && !got.Duplicate:
				t.Fatalf("%s is a repeat and was judged %+v", id, got)
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

// images yields each device that changed since the last image, with its state.
func images(d *Dedupe) iter.Seq2[string, []byte] {
	image := d.Image(0)
	return image.states.all()
}

func FuzzDecodeMemory(f *testing.F) {
	d := NewDedupe(7 * day)
	for seq := range uint64(100) {
		d.Judge(spot(seq%70, now+int64(seq), true), now)
		d.Judge(booted(seq%3, seq, now, true), now)
	}
	f.Add(encodeMemory(nil, d.devices["d"]))
	f.Add([]byte{memoryVersion})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := decodeMemory(b)
		if err != nil {
			return
		}
		again, err := decodeMemory(encodeMemory(nil, m))
		require.NoError(t, err)
		require.Equal(t, m, again)
	})
}
