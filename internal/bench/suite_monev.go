package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/simpang-id/simpang/internal/complaint"
	"github.com/simpang-id/simpang/internal/inventory"
)

var monevSuite = suite{
	name: "monev", load: "a register of 100,000 reports of a year, all but each fiftieth closed, made (200,000 commits, some minutes) and asked in this process",
	rows: []line{
		{key: "month", name: "E-Monev of a month at 100,000 complaints of a year: ms", bar: 300, atMost: true},
		{key: "old", name: "E-Monev of the year's first month at 100,000 complaints: ms", bar: 300, atMost: true},
	},
	run: (*bench).monev,
}

const monevComplaints = 100_000

// monev measures E-Monev over a register that has grown.
func (b *bench) monev(ctx context.Context) (err error) {
	dir, err := b.scratch("monev")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	zone, err := time.LoadLocation("Asia/Jakarta")
	if err != nil {
		return err
	}
	v, faults, err := inventory.Load("configs/bekasi/inventory", zone)
	if err != nil || len(faults) > 0 {
		return errors.Join(err, fmt.Errorf("the reference city's inventory has %d faults", len(faults)))
	}
	r, err := complaint.Open(ctx, filepath.Join(dir, "complaints.db"), complaint.Options{Inventory: func() *inventory.Version { return v }, Zone: zone})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	first, end := time.Date(2026, 1, 1, 0, 0, 0, 0, zone), time.Date(2027, 1, 1, 0, 0, 0, 0, zone)
	n := b.sized(monevComplaints)
	for i := range n {
		at := first.Add(end.Sub(first) / time.Duration(n) * time.Duration(i)).UnixMilli()
		c, err := r.Receive(ctx, at, complaint.New{
			Source: complaint.SourceCitizen, Service: []string{"overcharged", "no_karcis", "wrong_data"}[i%3], Subjects: complaint.Subjects{Sites: []string{v.Sites[i%len(v.Sites)].ID}},
			Description: "Diminta Rp 5.000 untuk sepeda motor, tanpa karcis, di depan pintu masuk.",
		})
		if err != nil {
			return err
		}
		if i%50 != 0 {
			if _, _, err := r.Update(ctx, at+int64(i%9)*86_400_000, c.ID, complaint.NewUpdate{State: complaint.StateClosed, Text: "Juru parkir dibina.", Through: true}); err != nil {
				return err
			}
		}
	}
	for key, month := range map[string]time.Month{"month": time.November, "old": time.January} {
		from := time.Date(2026, month, 1, 0, 0, 0, 0, zone)
		q := complaint.MonevQuery{From: from.UnixMilli(), To: from.AddDate(0, 1, 0).UnixMilli(), Now: end.UnixMilli()}
		var took []float64
		for range b.rounds {
			begin := time.Now()
			if _, err := r.Monev(ctx, q); err != nil {
				return err
			}
			took = append(took, float64(time.Since(begin).Microseconds())/1000)
		}
		b.row(key, median(took), fmt.Sprintf("%.0f (%d complaints)", median(took), n))
	}
	return nil
}
