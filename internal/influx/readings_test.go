package influx_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
)

func spot(device string, seq uint64, at int64) city.Reading {
	return city.Reading{Device: device, Kind: city.KindSpot, HasBoot: true, Boot: 1, Seq: seq, At: at, Spot: &city.Spot{Occupied: seq%2 == 0}}
}

// Each reading is there once: two of one time too, and what is sent again over
// restarts of the target and loss of its file.
func TestEachReadingIsThereOnce(t *testing.T) {
	s := start(t)
	b := newBed(t, serverOf(s))
	var want []string
	for i := range uint64(9000) {
		b.log.read(spot("P1", i, begin+int64(i/7)*1000)) // seven at a time
		want = append(want, fmt.Sprintf("P1:%d", i))
	}
	b.log.mu.Lock()
	b.log.first = 4000 // what lies before is archived
	b.log.mu.Unlock()
	sort.Strings(want)
	target, end := b.run()
	b.level(target, "readings")
	require.Equal(t, want, points(t, s, "spot"))
	end()
	target, end = b.run()
	require.Zero(t, target.Status()[0].Lag, "the cursor is durable")
	end()
	require.NoError(t, os.Remove(filepath.Join(b.dir, "influx.db")))
	b.log.read(spot("P2", 1, begin))
	target, _ = b.run()
	b.level(target, "readings")
	require.Equal(t, append(want, "P2:1"), points(t, s, "spot"))
}

// What a server refuses for itself is set aside one by one; the rest is there.
func TestRefusedPointsAreSetAsideOneByOne(t *testing.T) {
	s := start(t)
	require.NoError(t, s.Write(t.Context(), "spot,device=P1,gateway=gw-1 dwell_s=\"text\" "+strconv.FormatInt(begin*1_000_000, 10))) // another type in that shard
	b := newBed(t, serverOf(s))
	var want []string
	for i := range uint64(300) {
		r := spot("P2", i, begin+int64(i)*1000)
		if i%100 == 50 {
			r.Spot.DwellS = city.SomeInt(7)
		} else {
			want = append(want, fmt.Sprintf("P2:%d", i))
		}
		b.log.read(r)
	}
	sort.Strings(want)
	target, _ := b.run()
	b.level(target, "readings")
	require.Equal(t, want, points(t, s, "spot"))
	aside, err := os.ReadFile(filepath.Join(b.dir, "pusat.refused"))
	require.NoError(t, err)
	require.Regexp(t, `(?s)^# \S+ 4\d\d [^\n]*type conflict[^\n]*\nspot,city=bekasi,class=car,device=P2,gateway=gw-1,kecamatan=Bekasi\\ Timur,segment=R1,site=S1 occupied=1i,dwell_s=7i,boot=1i,seq=50i,pos=52i,recv=\d+i,source="b" \d+\n# .*seq=150i.*seq=250i`, string(aside))
	require.Empty(t, target.Status()[0].Detail)
}

// What a server took and forgot when it died is sent again.
func TestWhatADeadServerForgotIsSentAgain(t *testing.T) {
	s := start(t)
	f := newFront(t, s)
	server := serverOf(s)
	server.URL = f.URL
	b := newBed(t, server)
	forgets := true
	f.says(func(w http.ResponseWriter, _ *http.Request) bool {
		if forgets {
			w.WriteHeader(http.StatusNoContent)
		}
		return forgets
	})
	var want []string
	for i := range uint64(100) {
		b.log.read(spot("P1", i, begin+int64(i)*1000))
		want = append(want, fmt.Sprintf("P1:%d", i))
	}
	target, _ := b.run()
	b.level(target, "readings")
	require.Empty(t, points(t, s, "spot"))
	f.says(func(http.ResponseWriter, *http.Request) bool {
		panic(http.ErrAbortHandler) // the connection ends without an answer
	})
	b.log.read(spot("P1", 100, begin+100_000))
	b.until(func() bool { return target.Status()[0].Detail != "" }, func() any { return target.Status() })
	f.says(func(http.ResponseWriter, *http.Request) bool { return false })
	want = append(want, "P1:100")
	sort.Strings(want)
	b.until(func() bool { return len(points(t, s, "spot")) == len(want) }, func() any { return points(t, s, "spot") })
	require.Equal(t, want, points(t, s, "spot"))
}
