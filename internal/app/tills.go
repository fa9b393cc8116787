package app

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"

	"github.com/simpang-id/simpang/internal/config"
	"github.com/simpang-id/simpang/internal/spool"
	"github.com/simpang-id/simpang/internal/wire/escpos"
)

// openSpool opens what tapped lines keep, where one is tapped or was, and reads
// the templates.
func (g *gateway) openSpool(ctx context.Context, undo *stack) error {
	g.templates = map[string]*escpos.Templates{}
	var faults []config.Fault
	for i := range g.cfg.Sources {
		s := &g.cfg.Sources[i]
		if s.Format != config.FormatEscpos {
			continue
		}
		t, found := config.Templates(s, g.cfg.City.Zone)
		g.templates[s.ID], faults = t, append(faults, found...)
	}
	if len(faults) > 0 {
		return &FaultsError{Faults: faults}
	}
	path := g.path("spool.db")
	_, err := os.Stat(path)
	tapped := slices.ContainsFunc(g.cfg.Sources, func(s config.Source) bool { return s.Format == config.FormatEscpos })
	if errors.Is(err, fs.ErrNotExist) && !tapped {
		return nil
	}
	key, err := g.keyOf("spool")
	if err != nil {
		return err
	}
	if g.spool, err = spool.Open(ctx, path, key, 0); err != nil {
		return err
	}
	undo.push("spool", g.spool.Close)
	return nil
}

// expirePrints lets print streams go that are past their retention.
func (g *gateway) expirePrints(ctx context.Context) error {
	if g.spool == nil {
		return nil
	}
	_, err := g.spool.Expire(ctx, g.now().Add(-g.cfg.Retention.Prints.Duration).UnixMilli())
	return err
}
