package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

var journalSuite = suite{
	name: "journal", load: "readings made in this process",
	rows: []line{{key: "appends", name: "journal: appends/s, 1,000 readings a commit, fsync each"}},
	run:  (*bench).journal,
}

// journal measures appends with fsync, 1,000 readings a commit.
func (b *bench) journal(ctx context.Context) error {
	dir, err := b.scratch("journal")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	j, err := journal.Open(ctx, dir, journal.Options{Zone: time.UTC})
	if err != nil {
		return err
	}
	var rates []float64
	seq := uint64(0)
	for range b.rounds {
		begin := time.Now()
		for range b.count / 1000 {
			entries := make([]journal.Entry, 1000)
			now := time.Now().UnixMilli()
			for i := range entries {
				seq++
				entries[i] = journal.Entry{Type: journal.TypeReading, Recv: now, Source: "bench", Reading: &city.Reading{
					Device: b.devices[int(seq)%len(b.devices)], Kind: city.KindSpot, HasBoot: true, Boot: 1, Seq: seq, At: now,
					Spot: &city.Spot{Occupied: seq%2 == 0, Battery: city.SomeMilli(3600)},
				}}
			}
			if _, err := j.Append(ctx, entries); err != nil {
				return err
			}
		}
		rates = append(rates, float64(b.count/1000*1000)/time.Since(begin).Seconds())
	}
	b.row("appends", median(rates), fmt.Sprintf("%.0f", median(rates)))
	return j.Close()
}
