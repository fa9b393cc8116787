package token_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/sqlite"
	"github.com/simpang-id/simpang/internal/token"
)

// A token of which a value changed on the disk holds no more, whatever the
// value: nobody knows what it may. The others are as before.
func TestADamagedTokenHoldsNoMore(t *testing.T) {
	for _, change := range []string{
		"role = 'admin'", "name = 'X'", "operator = 'op-2'", "agency = 'bapenda'", "created = created + 1", "expires = expires * 2", "revoked = 0, last_used = 1", "sum = sum + 1",
	} {
		t.Run(change, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "tokens.db")
			s := open(t, path)
			_, other, err := s.Create(t.Context(), token.Request{Role: token.Admin, Name: "Siti", Expires: noon.Add(time.Hour).UnixMilli()}, noon)
			require.NoError(t, err)
			made, secret, err := s.Create(t.Context(), token.Request{Role: token.Operator, Name: "Mall", Operator: "op-1", Expires: noon.Add(time.Hour).UnixMilli()}, noon)
			require.NoError(t, err)
			db, err := sqlite.Open(t.Context(), path, sqlite.Options{})
			require.NoError(t, err)
			_, err = db.W.ExecContext(context.WithoutCancel(t.Context()), "UPDATE token SET "+change+" WHERE id = ?", made.ID)
			require.NoError(t, err)
			require.NoError(t, db.Close())

			_, err = s.Lookup(t.Context(), secret, noon.Add(10*time.Second))
			require.ErrorIs(t, err, token.ErrUnknown)
			_, err = s.Lookup(t.Context(), other, noon.Add(10*time.Second))
			require.NoError(t, err)
			require.ErrorIs(t, s.Revoke(t.Context(), made.ID, noon), sqlite.ErrSum, "what is damaged stays as it is")
		})
	}
}
