package app

import (
	"context"
	"errors"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/intake"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/ledger"
)

// books is the ledger as staff's writes ask it.
type books interface {
	// Try tells what the books, as they are, would say of an act.
	Try(ctx context.Context, e *journal.Entry) (ledger.Verdict, error)
	// Reached waits until the effect of a position is durable, or ctx ends.
	Reached(ctx context.Context, pos uint64) error
	// VerdictAt returns what became of the act at a position that was reached.
	VerdictAt(ctx context.Context, pos uint64) (ledger.Verdict, error)
}

var _ books = (*ledgerSeat)(nil)

// Book has an act checked by the books, appended, and answered with their
// verdict on its position. What they would not book is not appended. While
// they are over answerWithin behind the journal nothing is taken; an act whose
// verdict does not come in time is known when it is sent again.
func (s *staff) Book(ctx context.Context, act journal.Entry) (ledger.Verdict, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	if s.lag(ctx) > answerWithin {
		return ledger.Verdict{}, behind(context.DeadlineExceeded)
	}
	act.Recv = s.now().UnixMilli()
	v, err := s.books.Try(ctx, &act)
	if ctx.Err() != nil {
		return v, behind(ctx.Err())
	}
	if err != nil || v.Outcome != ledger.Booked {
		return v, err
	}
	pos, _, err := s.do(ctx, intake.Command{Entries: []journal.Entry{act}})
	if err != nil {
		return v, err
	}
	if err := s.books.Reached(ctx, pos); err != nil {
		return v, behind(err)
	}
	v, err = s.books.VerdictAt(ctx, pos)
	if err != nil && ctx.Err() != nil {
		return v, behind(ctx.Err())
	}
	s.log.InfoContext(ctx, "staff wrote into the books", "type", int(act.Type), "lines", len(act.Act.Lines), "position", pos, "outcome", int(v.Outcome), "by", act.Act.By)
	return v, err
}

func behind(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	return &city.Error{Kind: city.KindUnavailable, Message: "the books are behind the journal and cannot say yet what becomes of it; sending the same again later is safe (see /readyz)", Err: err}
}
