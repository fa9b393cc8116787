package ledger

import (
	"context"
	"database/sql"

	"github.com/simpang-id/simpang/internal/sqlite"
)

// snapshot is the books as of one commit: whoever asks sees all of a flush or
// nothing of it.
type snapshot struct {
	tx      *sql.Tx
	cursor  uint64
	parties []party // by id; those of the snapshot and perhaps some that came later
}

func (f *Follower) snapshot(ctx context.Context) (*snapshot, error) {
	tx, err := f.db.R.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	s := &snapshot{tx: tx}
	if err := s.begin(ctx, f); err != nil {
		s.end()
		return nil, err
	}
	return s, nil
}

// begin reads first the cursor, which fixes the snapshot, and what a flush has
// committed but not yet published.
func (s *snapshot) begin(ctx context.Context, f *Follower) error {
	if err := s.tx.QueryRowContext(ctx, "SELECT pos FROM cursor WHERE id = 1").Scan(&s.cursor); err != nil {
		return err
	}
	s.parties = f.partyList()
	rows, err := s.tx.QueryContext(ctx, selectParties+" WHERE id >= ? ORDER BY id", len(s.parties))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		_, p, err := scanParty(rows)
		if err != nil {
			return err
		}
		s.parties = append(s.parties, p) // a copy: the list that is shared is clipped
	}
	return rows.Err()
}

func (s *snapshot) end() { _ = s.tx.Rollback() } // it only reads

const selectParties = "SELECT id, site, kecamatan, operator, npwpd, nopd, levy, account, rate, sum FROM party"

func scanParty(rows *sql.Rows) (id int32, p party, err error) {
	var sum int64
	err = rows.Scan(&id, &p.Site, &p.Kecamatan, &p.Operator, &p.NPWPD, &p.NOPD, &p.Levy, &p.Account, &p.Rate, &sum)
	if err == nil {
		err = sqlite.CheckSum(sum, "party", p.values(id)...)
	}
	return id, p, err
}

const partyColumns = 9

// values are the row without its checksum.
func (p *party) values(id int32) []any {
	return []any{int64(id), p.Site, p.Kecamatan, p.Operator, p.NPWPD, p.NOPD, string(p.Levy), p.Account, p.Rate}
}
