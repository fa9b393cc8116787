package app

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/config"
	"github.com/simpang-id/simpang/internal/intake"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
)

// A store of many readings, for measurements by hand (docs/performance.md):
//
//	SIMPANG_STORE=/big/store SIMPANG_READINGS=50000000 SIMPANG_DAYS=3 SIMPANG_ARCHIVED=0 \
//	  go test -run TestMakeStore -timeout 1h ./internal/app
//
// makes one of the reference city that ends now; simpang serve runs on the
// simpang.yaml in it.
const (
	storeDirVar      = "SIMPANG_STORE"
	storeReadingsVar = "SIMPANG_READINGS"
	storeDaysVar     = "SIMPANG_DAYS"
	storeArchivedVar = "SIMPANG_ARCHIVED" // of the days: the oldest
)

func number(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return fallback
}

func TestMakeStore(t *testing.T) {
	dir := os.Getenv(storeDirVar)
	if dir == "" {
		t.Skip("only by hand: " + storeDirVar + " names where the store is made")
	}
	s := newStoreMaker(t, dir, "../../configs/bekasi/inventory")
	s.fill(number(storeReadingsVar, 1_000_000), number(storeDaysVar, 3), number(storeArchivedVar, 0), time.Now())
	s.close()
}

// storeMaker fills a store faster than any source could: it steps journal,
// memory of de-duplication and followers by hand.
type storeMaker struct {
	tb   testing.TB
	ctx  context.Context
	g    *gateway
	undo stack
	deps *intake.Dedupe

	seq     []uint64
	entries []journal.Entry
	applied uint64
}

func newStoreMaker(tb testing.TB, dir, inventoryDir string) *storeMaker {
	tb.Helper()
	inventoryDir, err := filepath.Abs(inventoryDir)
	require.NoError(tb, err)
	require.NoError(tb, os.MkdirAll(dir, 0o700))
	path := filepath.Join(dir, "simpang.yaml")
	require.NoError(tb, os.WriteFile(path, fmt.Appendf(nil, `city: {id: bekasi, name: Kota Bekasi, timezone: Asia/Jakarta, region_code: "32.75"}
http: {listen: "127.0.0.1:38080", admin_listen: "127.0.0.1:39090", rate_limit: 0}
data_dir: data
inventory: %s
sources: [{id: b, type: broker, format: native, listen: "127.0.0.1:31883"}]
`, inventoryDir), 0o600))
	cfg, faults := config.Load(path, nil, nil)
	require.Empty(tb, faults)
	s := &storeMaker{tb: tb, ctx: tb.Context()}
	log := slog.New(slog.DiscardHandler)
	s.g = &gateway{o: Options{Config: cfg}, cfg: cfg, log: log, now: time.Now, began: time.Now(), registry: prometheus.NewRegistry(), staff: &staff{}}
	for _, step := range []func(context.Context, *stack) error{s.g.openDir, s.g.openJournal, s.g.openInventory, s.g.openFollowers} {
		require.NoError(tb, step(s.ctx, &s.undo))
	}
	s.deps = intake.NewDedupe((7 * 24 * time.Hour).Milliseconds())
	s.seq = make([]uint64, len(s.g.loaded.Devices))
	return s
}

// fill stores about total readings, evenly over the days that end at now.
func (s *storeMaker) fill(total, days, archived int, now time.Time) {
	s.tb.Helper()
	rounds := max(total/len(s.g.loaded.Devices), 1)
	span := time.Duration(days) * 24 * time.Hour
	begin := now.Add(-span).Truncate(time.Minute)
	v, err := s.g.inventory.prepare(s.g.loaded)
	require.NoError(s.tb, err)
	v.Recv = begin.UnixMilli()
	s.put(v)
	minute := begin
	for round := range rounds {
		at := begin.Add(time.Duration(float64(span) * float64(round) / float64(rounds)))
		for ; minute.Before(at); minute = minute.Add(time.Minute) {
			s.put(journal.Entry{Type: journal.TypeTick, Recv: minute.UnixMilli()})
		}
		for i, d := range s.g.loaded.Devices {
			s.seq[i]++
			s.put(journal.Entry{Type: journal.TypeReading, Source: "b", Recv: at.UnixMilli() + 300, Reading: storedReading(d, s.seq[i], at.UnixMilli()+int64(i%250))})
		}
	}
	s.commit()
	s.flush()
	for range archived {
		s.archive()
	}
}

func (s *storeMaker) put(e journal.Entry) {
	if s.entries = append(s.entries, e); len(s.entries) == 4000 {
		s.commit()
	}
}

func (s *storeMaker) commit() {
	if len(s.entries) == 0 {
		return
	}
	_, err := s.g.journal.Append(s.ctx, s.entries)
	require.NoError(s.tb, err)
	s.g.inventory.committed(s.entries)
	s.entries = make([]journal.Entry, 0, 4000)
	if s.g.journal.Head()-s.applied > 400_000 {
		s.flush()
	}
}

// flush takes what was committed to everyone.
func (s *storeMaker) flush() {
	all := errgroup.Group{}
	all.SetLimit(3)
	head := s.g.journal.Head()
	for _, r := range s.g.runners {
		all.Go(func() error {
			for after := s.applied; after < head; {
				entries, err := s.g.journal.Read(s.ctx, after, 8192)
				if err != nil {
					return err
				}
				if err := r.f.Apply(entries); err != nil {
					return err
				}
				after = entries[len(entries)-1].Pos
			}
			return r.f.Flush()
		})
	}
	all.Go(func() error { return s.deps.Replay(s.ctx, s.g.journal, s.applied) })
	require.NoError(s.tb, all.Wait())
	s.applied = head
}

// archive puts the oldest day away.
func (s *storeMaker) archive() {
	due := s.g.series.Due()
	require.NotEmpty(s.tb, due)
	a, err := s.g.series.Seal(s.ctx, due[0])
	require.NoError(s.tb, err)
	s.put(journal.Entry{Type: journal.TypeArchive, Recv: s.g.journal.LastRecv(), Archive: &a})
	s.commit()
	s.flush()
}

func (s *storeMaker) close() {
	store, err := intake.OpenStore(s.ctx, s.g.path("dedupe.db"))
	require.NoError(s.tb, err)
	require.NoError(s.tb, store.Save(s.ctx, s.deps.Image(s.g.journal.Head())))
	require.NoError(s.tb, store.Close())
	require.NoError(s.tb, s.undo.unwind(s.g.log))
}

// storedReading is the n-th reading of a device.
func storedReading(d *inventory.Device, n uint64, at int64) *city.Reading {
	r := &city.Reading{Device: d.ID, HasBoot: true, Boot: 1, Seq: n, At: at}
	class := d.Class
	if class == city.ClassNone {
		class = city.Classes[0]
	}
	switch d.Kind {
	case inventory.DeviceGate:
		r.Kind, r.Gate = city.KindGate, &city.Gate{Out: n%2 == 0, Class: class, Count: 1}
	case inventory.DeviceCount:
		r.Kind, r.Count = city.KindCount, &city.Count{Class: class, Occupied: uint32(n % 20)}
	case inventory.DeviceTraffic:
		k := uint32(n % 60)
		r.Kind, r.Traffic = city.KindTraffic, &city.Traffic{PeriodS: 60, Lanes: []city.Lane{
			{Lane: 1, HasCounts: true, SM: 20 + k, KR: 8 + k/6, KB: k % 3, Speed: city.SomeMilli(int64(30_000 + 200*k))},
			{Lane: 2, HasCounts: true, SM: 10 + k, KR: 12 + k/6, KB: k % 2, Speed: city.SomeMilli(int64(35_000 + 200*k))},
		}}
	case inventory.DeviceMeter:
		r.Kind, r.Receipt = city.KindReceipt, &city.Receipt{
			Number: strconv.FormatUint(n, 10), Amount: city.Rupiah(2000 + 1000*(n%4)), Method: city.Methods[n%4], Class: class,
			TotalCount: city.SomeInt(int64(n)), TotalAmount: city.SomeInt(int64(n) * 3000),
		}
	default:
		r.Kind, r.Spot = city.KindSpot, &city.Spot{
			Occupied: n%2 == 0, DwellS: city.SomeInt(int64(60 + n%900)), Battery: city.SomeMilli(int64(3600 - n/1000%400)),
			Temperature: city.SomeMilli(int64(27_000 + 100*(n%60))), RSSI: city.SomeMilli(-int64(70_000 + 1000*(n%30))),
		}
	}
	return r
}
