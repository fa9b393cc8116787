package app

import (
	"context"

	"github.com/simpang-id/simpang/internal/certificate"
	"github.com/simpang-id/simpang/internal/inventory"
)

// State asks the follower that sits there.
func (s *certificateSeat) State(date string) certificate.State { return s.now().State(date) }

// Device asks the follower that sits there.
func (s *certificateSeat) Device(ctx context.Context, id, date string, revision int64) (*certificate.Kept, error) {
	return ask(&s.seat, func(f *certificate.Follower) (*certificate.Kept, error) { return f.Device(ctx, id, date, revision) })
}

// Place asks the follower that sits there.
func (s *certificateSeat) Place(ctx context.Context, key, date string, revision int64) (*certificate.Kept, error) {
	return ask(&s.seat, func(f *certificate.Follower) (*certificate.Kept, error) { return f.Place(ctx, key, date, revision) })
}

// City asks the follower that sits there.
func (s *certificateSeat) City(ctx context.Context, date string, revision int64) (kept *certificate.Kept, entry int64, err error) {
	kept, err = ask(&s.seat, func(f *certificate.Follower) (list *certificate.Kept, err error) {
		list, entry, err = f.City(ctx, date, revision)
		return list, err
	})
	return kept, entry, err
}

// Draft asks the follower that sits there.
func (s *certificateSeat) Draft(ctx context.Context, key, date string) (*certificate.Kept, error) {
	return ask(&s.seat, func(f *certificate.Follower) (*certificate.Kept, error) { return f.Draft(ctx, key, date) })
}

// DraftDevice asks the follower that sits there.
func (s *certificateSeat) DraftDevice(ctx context.Context, id, date string) (*certificate.Kept, error) {
	return ask(&s.seat, func(f *certificate.Follower) (*certificate.Kept, error) { return f.DraftDevice(ctx, id, date) })
}

// Basis asks the follower that sits there.
func (s *certificateSeat) Basis(d *inventory.Device, expected int64) certificate.Basis {
	return s.now().Basis(d, expected)
}
