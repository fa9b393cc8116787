package app

import (
	"context"
	"errors"
	"time"

	"github.com/simpang-id/simpang/internal/certificate"
	"github.com/simpang-id/simpang/internal/config"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/ledger"
)

// How often certificates are looked after, and the rest between two portions:
// asking health for very many devices may take no core for long.
const (
	certifyEvery = 5 * time.Second
	certifyRest  = 200 * time.Millisecond
)

// openCertificates opens the follower. A day is closed once no source takes a
// reading of it any more, receipts and what is taken up from quarantine apart.
func (g *gateway) openCertificates(ctx context.Context) (*certificate.Follower, error) {
	var window time.Duration
	ours := map[string]bool{}
	for i := range g.cfg.Sources {
		s := &g.cfg.Sources[i]
		window = max(window, s.MaxAge.Duration)
		switch s.Format {
		case config.FormatEscpos:
			ours[s.Device] = true
		case config.FormatModbus:
			if m, faults := config.Map(s); len(faults) == 0 { // else the source does not start
				for i := range m.Units {
					ours[m.Units[i].Device] = true
				}
			}
		}
	}
	return certificate.Open(ctx, g.path("certificates.db"), certificate.Options{
		Timeline: g.inventory.timeline, Zone: g.cfg.City.Zone, City: g.cfg.City.ID, Source: &g.health, Log: g.log, Hold: g.holdOn, Now: time.Now,
		Window: window, Keep: g.cfg.Retention.Certificates.Duration, Ours: func(id string) bool { return ours[id] },
	})
}

// certify closes and revises certificates and has their hashes booked, until
// ctx ends.
func (g *gateway) certify(ctx context.Context) {
	told := ""
	for wait := certifyRest; sleep(ctx, wait); {
		more, err := g.certifySome(ctx)
		wait = certifyEvery
		switch {
		case ctx.Err() != nil:
		case err == nil:
			told = ""
			if more {
				wait = certifyRest
			}
		case err.Error() != told:
			told = err.Error()
			g.log.ErrorContext(ctx, "certificates of completeness could not be made, or not be booked; it is tried again", "error", err)
		}
	}
}

func (g *gateway) certifySome(ctx context.Context) (more bool, err error) {
	more, err = ask(&g.certs.seat, func(f *certificate.Follower) (bool, error) { return f.Work(ctx) })
	if err != nil || g.clock.Check(g.instant()) != nil {
		return false, err
	}
	lists, err := ask(&g.certs.seat, func(f *certificate.Follower) ([]certificate.Listed, error) { return f.Unbooked(ctx) })
	for i := range lists {
		err = errors.Join(err, g.bookCertificates(ctx, &lists[i]))
	}
	return more, err
}

// bookCertificates has the books hold the hash of a day's list.
func (g *gateway) bookCertificates(ctx context.Context, l *certificate.Listed) error {
	line := &journal.Certificates{Date: l.Date, Revision: uint64(l.Revision), Places: uint64(l.Places), Devices: uint64(l.Devices), SHA256: l.SHA256}
	v, err := g.staff.Book(ctx, journal.Entry{Type: line.Type(), Act: &journal.Act{Lines: []journal.Line{line}}})
	if err != nil {
		return err
	}
	entry := int64(v.Entry)
	switch v.Outcome {
	case ledger.Booked:
	case ledger.Known: // it was booked, and we died before it was noted
		n, err := ask(&g.ledger.seat, func(f *ledger.Follower) (uint64, error) { return f.EntryOf(ctx, line) })
		if err != nil {
			return err
		}
		entry = int64(n)
	case ledger.Conflict:
		entry = certificate.OtherHash
		g.log.ErrorContext(ctx, "the books hold another hash of a day's certificates, so that no entry proves what is kept: certificates.db was lost and made again, or is older than the journal; bring back a younger backup of it, if there is one", "date", l.Date, "revision", l.Revision)
	default:
		entry = certificate.HashRefused
		g.log.ErrorContext(ctx, "the books refused the hash of a day's certificates: tell us, with these faults", "date", l.Date, "revision", l.Revision, "faults", v.Faults)
	}
	_, err = ask(&g.certs.seat, func(f *certificate.Follower) (struct{}, error) {
		return struct{}{}, f.Booked(ctx, l.Date, l.Revision, entry)
	})
	return err
}
