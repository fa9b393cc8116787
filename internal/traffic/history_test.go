package traffic_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/traffic"
)

func TestHistory(t *testing.T) {
	t.Parallel()
	r := newRig(t, parse(t, files(t, device("d", "a", 60), "", divided("a"))))
	// Ten minutes measured, five of them without lane 2, then a gap, then an hour's period.
	for i := int64(1); i <= 10; i++ {
		lanes := []city.Lane{speed(ln(1, 2, 6, 0), 60)}
		if i <= 5 {
			lanes = append(lanes, speed(ln(2, 0, 4, 0), 40))
		}
		r.reading("d", noon+i*minute, 60, lanes...)
	}
	r.reading("d", noon+2*hour, 3600, ln(1, 0, 1200, 0), ln(2, 0, 1, 0))
	for _, flushed := range []bool{false, true} {
		if flushed {
			require.NoError(t, r.f.Flush())
		}
		p := r.history("a", noon+2*minute, noon+20*minute, 5*minute)
		require.Len(t, p, 4)
		require.Equal(t, noon, p[0].T, "from is rounded down")
		require.InDelta(t, 720, val(p[0].FlowVPH), 0.001)
		require.InDelta(t, 60*(2*0.4+6+4), val(p[0].FlowSMPH), 0.001)
		require.InDelta(t, 60*(2*0.4+6+4)/3162, val(p[0].DJ), 0.0005)
		require.InDelta(t, 12/(8/60.0+4/40.0), val(p[0].SpeedKmh), 0.001)
		require.InDelta(t, 1, val(p[0].Coverage), 0)
		require.False(t, p[1].FlowVPH.OK, "a lane is missing: no low flow")
		require.InDelta(t, 60, val(p[1].SpeedKmh), 0.001)
		require.InDelta(t, 0.5, val(p[1].Coverage), 0)
		require.Equal(t, traffic.HistoryPoint{T: noon + 10*minute, Coverage: city.SomeMilli(0)}, p[2], "a gap")

		p = r.history("a", noon, noon+2*hour, hour)
		require.Len(t, p, 2)
		require.InDelta(t, 60*8+60*4, val(p[0].FlowVPH), 0.001, "of the time that was counted")
		require.InDelta(t, 15.0/120, val(p[0].Coverage), 0.0005)
		require.InDelta(t, 1201, val(p[1].FlowVPH), 0.001)

		p = r.history("a", noon+hour, noon+2*hour, 5*minute)
		for _, x := range p {
			require.True(t, x.FlowVPH.OK)
		}
		c := r.counts("a", noon, noon+2*hour)
		require.Equal(t, traffic.Counts{SM: 20, KR: 60 + 20 + 1201, CoveredMS: 15*minute + 2*hour}, c)
		require.Equal(t, int64(100), r.counts("a", noon+95*minute, noon+100*minute).KR)
	}
}

func TestHistoryTwoWay(t *testing.T) {
	t.Parallel()
	r := newRig(t, parse(t, files(t, device("d", "a", 300), "", shared("a", "b"), shared("b", "a"))))
	r.reading("d", noon+5*minute, 300, ln(1, 0, 40, 0), back(ln(1, 0, 20, 0)))
	r.reading("d", noon+10*minute, 300, ln(1, 0, 40, 0))
	p := r.history("a", noon, noon+10*minute, 5*minute)
	require.InDelta(t, 720/2263.52, val(p[0].DJ), 0.0005)
	require.True(t, p[1].FlowVPH.OK)
	require.False(t, p[1].DJ.OK, "the other direction is unknown")
}

func TestHistoryOversaturated(t *testing.T) {
	t.Parallel()
	r := newRig(t, parse(t, files(t, device("d", "a", 60), "", divided("a"))))
	for i := int64(1); i <= 30; i++ {
		kmh := 50.0
		if i > 10 && i <= 20 {
			kmh = 10
		}
		r.reading("d", noon+i*minute, 60, speed(ln(1, 0, 10, 0), kmh), speed(ln(2, 0, 10, 0), kmh))
	}
	var known []bool
	for _, p := range r.history("a", noon, noon+30*minute, 5*minute) {
		known = append(known, p.DJ.OK)
	}
	require.Equal(t, []bool{true, true, true, false, true, true}, known)
	require.True(t, r.history("a", noon, noon+30*minute, 30*minute)[0].DJ.OK)
	require.False(t, r.history("a", noon+15*minute, noon+25*minute, 10*minute)[0].DJ.OK, "half of it")
}

func TestHistoryRefuses(t *testing.T) {
	t.Parallel()
	r := newRig(t, parse(t, files(t, "", "", divided("a"))))
	for _, c := range []struct {
		name           string
		id             string
		from, to, step int64
		want           city.ErrorKind
	}{
		{"unknown segment", "x", noon, noon + hour, 5 * minute, city.KindNotFound},
		{"backwards", "a", noon, noon - hour, 5 * minute, city.KindInvalid},
		{"step too short", "a", noon, noon + hour, minute, city.KindInvalid},
		{"step of seven minutes", "a", noon, noon + hour, 7 * minute, city.KindInvalid},
		{"too many points", "a", noon, noon + 5001*5*minute, 5 * minute, city.KindInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := r.f.History(t.Context(), c.id, c.from, c.to, c.step)
			require.Error(t, err)
			require.Equal(t, c.want, city.KindOf(err))
		})
	}
	_, err := r.f.Counts(t.Context(), "x", noon, noon+1)
	require.Equal(t, city.KindNotFound, city.KindOf(err))
	p := r.history("a", noon, noon+5000*5*minute, 5*minute)
	require.Len(t, p, 5000)
}

// TestHistoryWhileFlushing asks without end while the follower applies and
// flushes: no answer may lack or double a reading.
func TestHistoryWhileFlushing(t *testing.T) {
	t.Parallel()
	r := newRig(t, parse(t, files(t, device("d", "a", 60), "", divided("a"))))
	stop, done := make(chan struct{}), make(chan error, 1)
	go func() {
		var last int64
		for {
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
			c, err := r.f.Counts(t.Context(), "a", noon-hour, noon+24*hour)
			if err == nil && (c.KR < last || c.KR%7 != 0) {
				err = &city.Error{Message: "a count went back or is torn"}
			}
			if err != nil && city.KindOf(err) != city.KindUnavailable {
				done <- err
				return
			}
			last = max(last, c.KR)
		}
	}()
	for i := range int64(300) {
		r.reading("d", noon+i*minute, 60, ln(1, 0, 3, 0), ln(2, 0, 4, 0))
		if i%3 == 0 {
			require.NoError(t, r.f.Flush())
		}
	}
	close(stop)
	require.NoError(t, <-done)
	require.Equal(t, int64(2100), r.counts("a", noon-hour, noon+24*hour).KR)
}
