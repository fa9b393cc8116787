package api

import (
	"context"
	"errors"

	"github.com/simpang-id/simpang/internal/report"
)

// Reports concludes about money.
type Reports interface {
	Reconcile(ctx context.Context, q report.ReconcileQuery) (*report.Reconciliation, error)
	// Statement returns an operator's month. KindNotFound: no such operator.
	Statement(ctx context.Context, q report.StatementQuery) (*report.Statement, error)
	Realisasi(ctx context.Context, q report.RealisasiQuery) (*report.Realisasi, error)
}

var _ Reports = (*report.Reporter)(nil)

// Reporting is what the reports are made of.
type Reporting struct {
	Reports Reports

	City      string // name, for people
	Region    string // code of the ministry; may be ""
	Producer  string // produsen data; default Bapenda and the city's name
	Custodian string // walidata; default Diskominfostandi and the city's name
	Licence   string // default that it is not decided
}

func (r *Reporting) setDefaults() {
	if r.Producer == "" {
		r.Producer = "Bapenda " + r.City
	}
	if r.Custodian == "" {
		r.Custodian = "Diskominfostandi " + r.City
	}
	if r.Licence == "" {
		r.Licence = "belum ditetapkan"
	}
}

func (r *Reporting) validate() error {
	if r.Reports == nil || r.City == "" {
		return errors.New("api: Options.Reporting.Reports and City are required")
	}
	return nil
}
