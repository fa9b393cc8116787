package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/simpang-id/simpang/internal/app"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/wire"
)

var revenueSuite = suite{
	name: "revenue", load: "10,000,000 receipts of a year, of the reference city's 120 meters, taken and archived by the gateway's own code beforehand; then one kept connection that asks ten times a round; for the reconciliation 123 more sites of 20 sensors, and stays at each sensor of the last nine days",
	rows: []line{
		{key: "daily", name: "revenue by day and site over a year of 10 million receipts: ms", bar: 100, atMost: true},
		{key: "disk", name: "ledger: disk a receipt entry, bytes"},
		{key: "reconcile", name: "reconciliation of a city day, 200 sites, with 10 million receipts in the books: ms", bar: 500, atMost: true},
	},
	run: (*bench).revenue,
}

// revenue measures the report by day and site.
func (b *bench) revenue(ctx context.Context) (err error) {
	dir, err := b.scratch("revenue")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	inventory, spots, err := cityOf200(dir)
	if err != nil {
		return err
	}
	g, err := b.layGateway(ctx, dir, inventory, builtIn)
	if err != nil {
		return err
	}
	cfg, err := g.load()
	if err != nil {
		return err
	}
	const year, receiptsAYear = 365, 10_000_000
	days := min(max(b.sized(year), 3), year)
	aDay := receiptsAYear / year
	begin := time.Now()
	today := midnight(begin, cfg.City.Zone)
	from := today.AddDate(0, 0, -days)
	meters, err := devicesOf("meter")
	if err != nil {
		return err
	}
	if err := prepare(ctx, g, manyACommit, from, today, func(_ *app.Replay, give func(received) error) error {
		return receipts(meters, from, days, aDay, newVisits(spots, from, days).between(give))
	}); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%d receipts of %d days prepared in %v\n", days*aDay, days, time.Since(begin).Round(time.Second))
	size, err := sizeOf(filepath.Join(dir, "data"), "ledger.db")
	if err != nil {
		return err
	}
	per := float64(size) / float64(days*aDay)
	b.row("disk", per, fmt.Sprintf("%.0f (%.0f MB)", per, float64(size)/1e6))
	if err := g.serve(ctx, b.bin); err != nil {
		return err
	}
	defer stopping(&err, g)
	bearer, err := g.token(ctx, b.bin, "bapenda")
	if err != nil {
		return err
	}
	if err := b.dailyReport(ctx, g, bearer, from, today, days*aDay); err != nil {
		return err
	}
	return b.reconciliation(ctx, g, bearer, today.AddDate(0, 0, -1))
}

// dailyReport asks for the whole table: the list has pages, CSV is one answer.
func (b *bench) dailyReport(ctx context.Context, g *gateway, bearer string, from, to time.Time, total int) error {
	a, err := newAsker(ctx, g.http)
	if err != nil {
		return err
	}
	defer a.close()
	request := a.request(fmt.Sprintf("/v1/revenue/daily?group=site&format=csv&from=%s&to=%s", stampOf(from), stampOf(to)), bearer)
	all, medians, err := b.askRounds(a, request)
	if err != nil {
		return err
	}
	rows := bytes.Count(a.body, []byte("\r\n")) - 1
	if rows < 1 {
		return errors.New("the report is empty")
	}
	b.row("daily", median(medians), fmt.Sprintf("%.1f (slowest %.1f; %d rows of %d receipts)", median(medians), all.quantile(1), rows, total))
	return nil
}

// receipts makes so many a day, from 6 to 22 o'clock, each meter's numbers in
// turn; one in 50 takes back the meter's last.
func receipts(meters []string, from time.Time, days, aDay int, give func(received) error) error {
	random := rand.New(rand.NewPCG(1, 2))
	type state struct {
		seq, number   uint64
		count, amount int64
		last          city.Receipt
	}
	states := make([]state, len(meters))
	kinds := []struct {
		class  city.Class
		amount city.Rupiah
	}{{city.Motorcycle, 2000}, {city.Motorcycle, 2000}, {city.Car, 5000}, {city.Car, 4000}, {city.Truck, 10_000}}
	for day := range days {
		opens := from.AddDate(0, 0, day).Add(6 * time.Hour)
		for i := range aDay {
			at := opens.Add(16 * time.Hour * time.Duration(i) / time.Duration(aDay))
			meter := random.IntN(len(meters))
			s := &states[meter]
			s.seq++
			r := city.Receipt{}
			if s.seq%50 == 0 {
				r = s.last
				r.Void = true
				s.count, s.amount = s.count-1, s.amount-int64(r.Amount)
			} else {
				s.number++
				kind := kinds[random.IntN(len(kinds))]
				r.Number, r.Class, r.Amount = fmt.Sprintf("%08d", s.number), kind.class, kind.amount
				r.Method = city.Methods[random.IntN(4)]
				s.count, s.amount = s.count+1, s.amount+int64(r.Amount)
				s.last = r
			}
			r.TotalCount, r.TotalAmount = city.SomeInt(s.count), city.SomeInt(s.amount)
			reading := city.Reading{Device: meters[meter], Kind: city.KindReceipt, HasBoot: true, Boot: 1, Seq: s.seq, At: at.UnixMilli(), Receipt: &r}
			err := give(received{at.Add(200 * time.Millisecond), source.Message{Source: "devices", Device: reading.Device, Decoded: wire.Decoded{Readings: []city.Reading{reading}}}})
			if err != nil {
				return err
			}
		}
	}
	return nil
}
