package occupancy_test

import (
	"encoding/csv"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/occupancy"
)

// TestQueriesMeanwhile asks from many goroutines while the follower follows.
func TestQueriesMeanwhile(t *testing.T) {
	files, _ := variants()
	w := newWorld(t, files[0])
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				case <-w.f.Changed():
				default:
				}
				for _, s := range w.f.Sites() {
					_, err := w.f.History(t.Context(), s.ID, city.Car, begin, begin+2*hour, 5*minute)
					if err != nil {
						t.Error(err)
						return
					}
					for _, c := range s.Classes {
						if c.Free.OK && c.Capacity > int(c.Occupied.V) && c.Capacity != int(c.Free.V+c.Occupied.V)+c.Unknown {
							t.Errorf("%+v", c)
							return
						}
					}
				}
				_, _ = w.f.Stays(t.Context(), "s", begin, begin+2*hour, 10)
			}
		})
	}
	for i := range int64(120) {
		w.spot("s1", begin+i*minute, i%2 == 0)
		w.gate("in", begin+i*minute-i%7*minute, city.Car, int(i%3)-1)
		w.counted("c1", begin+i*minute, uint32(i%20))
		w.tick(begin + i*minute)
		w.flush()
	}
	close(done)
	wg.Wait()
	require.Greater(t, w.site("c").Rev, uint64(10))
}

// TestBirmingham replays a real city's counts, years old, and finds each of
// them again in the history; it needs the data beside the project.
func TestBirmingham(t *testing.T) {
	f, err := os.Open("../../../shared/data/parking/birmingham.csv")
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("../shared/data is not there")
	}
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	type count struct {
		at int64
		n  int64
	}
	sites, rows, want := map[string]siteFile{}, []string{}, map[string][]count{}
	capacity := map[string]int64{}
	var order []string
	var counts []count
	r := csv.NewReader(f)
	_, err = r.Read()
	require.NoError(t, err)
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		row[0] = strings.ReplaceAll(row[0], " ", "-")
		places, err := strconv.ParseInt(row[1], 10, 64)
		require.NoError(t, err)
		n, err := strconv.ParseInt(row[2], 10, 64)
		require.NoError(t, err)
		at, err := time.ParseInLocation(time.DateTime, strings.TrimSpace(row[3]), zone)
		require.NoError(t, err)
		if _, ok := sites[row[0]]; !ok {
			sites[row[0]] = siteFile{"detection": "count", "capacity": map[string]int64{"car": places}}
			rows = append(rows, row[0]+",count,"+row[0]+",,car,1800,")
			capacity[row[0]] = places
		}
		if n < 0 {
			continue // quarantined before it comes here
		}
		order, counts = append(order, row[0]), append(counts, count{at.UnixMilli(), n})
	}
	w := newWorld(t, folder(sites, rows...))
	for i, c := range counts {
		w.counted(order[i], c.at, uint32(c.n))
		if list := want[order[i]]; len(list) > 0 && list[len(list)-1].at == c.at {
			list[len(list)-1].n = c.n
		} else {
			want[order[i]] = append(list, c)
		}
		if i%5000 == 0 {
			w.flush()
		}
	}
	w.flush()
	w.reopen()
	for site, list := range want {
		points := map[int64]occupancy.HistoryPoint{}
		from, to := list[0].at-list[0].at%(5*minute), list[len(list)-1].at+hour
		for t0 := from; t0 < to; t0 += 10 * 24 * hour {
			for _, p := range w.history(site, city.Car, t0, min(to, t0+10*24*hour), 5*minute) {
				points[p.T] = p
			}
		}
		for i, c := range list {
			next := c.at - c.at%(5*minute) + 5*minute
			if i+1 < len(list) && list[i+1].at < next+5*minute {
				continue
			}
			p := points[next]
			require.Equal(t, city.SomeMilli(c.n*1000), p.OccupiedAvg, "%s %d", site, c.at)
			require.Equal(t, city.SomeMilli(max(0, capacity[site]-c.n)*1000), p.FreeAvg, "%s %d", site, c.at)
			require.Equal(t, city.SomeMilli(1000), p.Coverage)
		}
	}
}
