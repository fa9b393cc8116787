package apitest

import (
	"context"
	"sync"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/ledger"
	"github.com/simpang-id/simpang/internal/report"
)

// Reports answers with what the test set, and notes what it was asked.
type Reports struct {
	mu         sync.Mutex
	Day        report.Reconciliation
	Statements map[string]report.Statement // by operator
	Year       report.Realisasi
	Asked      []any
}

func (r *Reports) note(q any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Asked = append(r.Asked, q)
}

// Reconcile returns the sites of Day that the query asks for.
func (r *Reports) Reconcile(_ context.Context, q report.ReconcileQuery) (*report.Reconciliation, error) {
	r.note(q)
	out := report.Reconciliation{Date: q.Date, Periods: r.Day.Periods}
	for _, s := range r.Day.Sites {
		if (q.Site == "" || s.Site == q.Site) && s.Site > q.After && (q.Limit == 0 || len(out.Sites) < q.Limit) {
			out.Sites = append(out.Sites, s)
		}
	}
	return &out, nil
}

// Statement returns the operator's of Statements; of op-01 an empty one.
func (r *Reports) Statement(_ context.Context, q report.StatementQuery) (*report.Statement, error) {
	r.note(q)
	s, ok := r.Statements[q.Operator]
	if !ok && q.Operator != "op-01" {
		return nil, &city.Error{Kind: city.KindNotFound, Message: "there is no such operator, or it is not yours"}
	}
	s.Operator, s.Month, s.View = q.Operator, q.Month, ledger.KnownView
	if q.Filed {
		s.View = ledger.FiledView
	}
	if s.DepositBy == "" {
		s.FileBy, s.DepositBy, s.AsOf = "2026-03-15", "2026-03-15", "2026-03-02"
	}
	return &s, nil
}

// Realisasi returns Year.
func (r *Reports) Realisasi(_ context.Context, q report.RealisasiQuery) (*report.Realisasi, error) {
	r.note(q)
	return &r.Year, nil
}
