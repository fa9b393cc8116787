package main

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/simpang-id/simpang/internal/city"
)

// books compares the income of each site and day with what was printed.
func (y *year) books(ctx context.Context, g *gateway) error {
	type day struct {
		Date, Key string
		Recorded  city.Rupiah
	}
	days, err := list[day](ctx, g, "/v1/revenue/daily", url.Values{
		"group": {"site"}, "from": {y.from.Format(time.RFC3339)}, "to": {y.until.Format(time.RFC3339)},
	})
	if err != nil {
		return err
	}
	told := map[dayOf]city.Rupiah{}
	for _, d := range days {
		told[dayOf{d.Key, d.Date}] = d.Recorded
	}
	var off, sum city.Rupiah
	wrong := 0
	for k, want := range y.printed {
		sum += want
		if d := told[k] - want; d != 0 {
			wrong++
			off += max(d, -d)
		}
		delete(told, k)
	}
	for _, extra := range told {
		off += max(extra, -extra)
		if extra != 0 {
			wrong++
		}
	}
	row("books against the truth: rupiah off", fmt.Sprintf("%d (%d of %d site-days, Rp%d in all)", off, wrong, len(y.printed), sum), "0", off == 0)
	return nil
}
