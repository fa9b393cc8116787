package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/simpang-id/simpang/internal/city"
)

// deposit sends every deposit and declaration that was made by now, twice, and
// compares what the treasury has with their sum.
func (y *year) deposit(ctx context.Context, g *gateway) error {
	today := time.Now().In(y.cfg.City.Zone).Format(time.DateOnly)
	type credit struct {
		Site       string
		PeriodFrom string `json:"period_from"`
		CreditedOn string `json:"credited_on"`
		FiledOn    string `json:"filed_on"`
		Gross, Net int64
	}
	ahead := func(body json.RawMessage) bool {
		var c credit
		if json.Unmarshal(body, &c) != nil || max(c.CreditedOn, c.FiledOn) <= today {
			return false
		}
		if c.PeriodFrom != "" { // it is owed still
			y.short[dayOf{c.Site, c.PeriodFrom[:7]}] += city.Rupiah(c.Gross)
		}
		return true
	}
	y.deposits = slices.DeleteFunc(y.deposits, ahead)
	y.declarations = slices.DeleteFunc(y.declarations, ahead)
	byYear := map[string]int64{}
	for _, body := range y.deposits {
		var c credit
		if err := json.Unmarshal(body, &c); err != nil {
			return err
		}
		byYear[c.CreditedOn[:4]] += c.Net
	}
	for range 2 {
		if err := g.post(ctx, "/v1/revenue/deposits", y.deposits); err != nil {
			return err
		}
		if err := g.post(ctx, "/v1/revenue/declarations", y.declarations); err != nil {
			return err
		}
	}
	var off, sum int64
	for name, want := range byYear {
		var told struct{ Items []struct{ Realized int64 } }
		if err := g.get(ctx, "/v1/revenue/realisasi", url.Values{"year": {name}, "by": {"year"}}, &told); err != nil {
			return err
		}
		for _, item := range told.Items {
			want -= item.Realized
		}
		off += max(want, -want)
		sum += byYear[name]
	}
	row("deposits sent twice, each counted once: rupiah off", fmt.Sprintf("%d (%d deposits, Rp%d)", off, len(y.deposits), sum), "0", off == 0)
	return nil
}

// post sends bodies, some hundred at a time.
func (g *gateway) post(ctx context.Context, path string, bodies []json.RawMessage) error {
	const most = 1000
	for part := range slices.Chunk(bodies, most) {
		text, err := json.Marshal(part)
		if err != nil {
			return err
		}
		status, answer, err := g.do(ctx, http.MethodPost, path, text)
		if err != nil {
			return err
		}
		if status != http.StatusOK && status != http.StatusCreated {
			return fmt.Errorf("%s answered %d: %.500s", path, status, answer)
		}
	}
	return nil
}
