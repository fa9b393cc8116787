package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/simpang-id/simpang/internal/config"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/ledger"
	"github.com/simpang-id/simpang/internal/proof"
)

var proofSuite = suite{
	name: "proof", load: "10,000,000 receipts of a year, of the reference city's 120 meters, given to the books beforehand; then this process asks for proofs and verifies, as `simpang verify` does, by the books' own code",
	rows: []line{
		{key: "inclusion", name: "inclusion proof of a receipt among 10 million: ms", bar: 5, atMost: true},
		{key: "verify", name: "full verify of the books: entries/s", bar: 100_000},
		{key: "size", name: "ledger entry with its record and proof: disk, bytes", bar: 500, atMost: true},
	},
	run: (*bench).proof,
}

// proof measures what an auditor waits for, and what the proof costs.
func (b *bench) proof(ctx context.Context) (err error) {
	dir, err := b.scratch("proof")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	g, err := b.layGateway(ctx, dir, referenceCity, builtIn)
	if err != nil {
		return err
	}
	cfg, err := g.load()
	if err != nil {
		return err
	}
	path := filepath.Join(dir, "ledger.db")
	o, err := booksOptions(cfg)
	if err != nil {
		return err
	}
	books, err := ledger.Open(ctx, path, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, books.Close()) }()
	const receiptsAYear = 10_000_000
	total := max(b.sized(receiptsAYear), 1000)
	begin := time.Now()
	if err := fillBooks(books, total, midnight(begin, cfg.City.Zone).AddDate(-1, 0, 0)); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%d receipts booked in %v\n", total, time.Since(begin).Round(time.Second))
	key, err := proof.NewKey(proof.Name(cfg.City.ID))
	if err != nil {
		return err
	}
	signed, err := books.Sign(ctx, ledger.Signer{Key: key, City: cfg.City.ID}, begin.UnixMilli())
	if err != nil {
		return err
	}
	if err := b.inclusion(ctx, books, signed); err != nil {
		return err
	}
	if err := b.fullVerify(ctx, path, ledger.VerifyOptions{Options: o, Key: key.Public().String()}); err != nil {
		return err
	}
	size, err := sizeOf(dir, "ledger.db")
	if err != nil {
		return err
	}
	per := float64(size) / float64(signed.Size)
	b.row("size", per, fmt.Sprintf("%.0f (%.0f MB of %d entries)", per, float64(size)/1e6, signed.Size))
	return nil
}

// booksOptions is what the books need of a configuration.
func booksOptions(cfg *config.Config) (ledger.Options, error) {
	v, faults, err := inventory.Load(cfg.Inventory, cfg.City.Zone)
	if err != nil || len(faults) > 0 {
		return ledger.Options{}, fmt.Errorf("inventory: %w, %v", err, faults)
	}
	timeline := &inventory.Timeline{}
	timeline.Accept(1, 0, v)
	return ledger.Options{Timeline: timeline, Zone: cfg.City.Zone}, nil
}

// fillBooks gives so many receipts of a year to the books.
func fillBooks(books *ledger.Follower, total int, from time.Time) error {
	meters, err := devicesOf("meter")
	if err != nil {
		return err
	}
	const aDay = 10_000_000 / 365
	pos := uint64(1)
	var entries []journal.Entry
	flush := func() error {
		err := errors.Join(books.Apply(entries), books.Flush())
		entries = entries[:0]
		return err
	}
	err = receipts(meters, from, (total+aDay-1)/aDay, min(aDay, total), func(r received) error {
		pos++
		entries = append(entries, journal.Entry{Pos: pos, Recv: r.at.UnixMilli(), Type: journal.TypeReading, Source: r.m.Source, Reading: &r.m.Decoded.Readings[0]})
		if len(entries) < manyACommit {
			return nil
		}
		return flush()
	})
	return errors.Join(err, flush())
}

// inclusion proves random receipts, each checked as who asks for it would.
func (b *bench) inclusion(ctx context.Context, books *ledger.Follower, signed *ledger.Checkpoint) error {
	const times = 200
	random := rand.New(rand.NewPCG(3, 4))
	all := &latencies{}
	var medians []float64
	for range b.rounds {
		round := &latencies{}
		for range times {
			n := 1 + random.Uint64N(signed.Size)
			begin := time.Now()
			p, err := books.Prove(ctx, ledger.Selection{First: n, Last: n})
			if err != nil {
				return err
			}
			round.add(time.Since(begin))
			e := p.Entries[0]
			if err := proof.CheckInclusion(e.Proof, signed.Size, signed.Root, e.Leaf, proof.LeafHash(e.Data)); err != nil {
				return err
			}
		}
		all.join(round.each)
		medians = append(medians, round.quantile(0.5))
	}
	b.row("inclusion", median(medians), fmt.Sprintf("%.2f (p99 %.2f; %d entries)", median(medians), all.quantile(0.99), signed.Size))
	return nil
}

// fullVerify recomputes everything, three rounds at most.
func (b *bench) fullVerify(ctx context.Context, path string, o ledger.VerifyOptions) error {
	var rates []float64
	entries := uint64(0)
	for range min(b.rounds, 3) {
		begin := time.Now()
		v, err := ledger.Verify(ctx, path, o)
		if err != nil {
			return err
		}
		entries = v.Entries
		rates = append(rates, float64(v.Entries)/time.Since(begin).Seconds())
	}
	b.row("verify", median(rates), fmt.Sprintf("%.0f (%d entries)", median(rates), entries))
	return nil
}
