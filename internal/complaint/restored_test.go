package complaint

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/inventory"
)

// A number that was given after the copy was taken is never another complaint's.
func TestARestoredRegisterGivesNoNumberTwice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "complaints.db")
	file := func(r *Register, now int64) string {
		c, err := r.Receive(t.Context(), now, New{Source: SourceCitizen, Service: "illegal_parking", Address: "Jl. Satu", Attributes: []Attribute{{Code: "class", Values: []string{"car"}}}})
		require.NoError(t, err)
		return c.ID
	}
	r := open(t, path, Options{})
	require.Equal(t, "SPG-2026-000001", file(r, at(2, 9)))
	require.NoError(t, r.Close())
	v := testVersion(t)
	require.NoError(t, Restored(t.Context(), path, at(2, 10), Options{Inventory: func() *inventory.Version { return v }, Zone: wib}))
	r = open(t, path, Options{})
	require.Equal(t, "SPG-2026-010002", file(r, at(2, 11)))
	require.Equal(t, "SPG-2027-010001", file(r, at(2+365, 11)))
	require.Equal(t, "SPG-2028-000001", file(r, at(2+2*365, 11)))
}
