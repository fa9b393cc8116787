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

// What they were to hear of when the copy was taken may have been told since: it
// is looked for before it is told.
func TestARestoredRegisterTellsNothingTwice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "complaints.db")
	o := Options{Destination: Destination{Set: true}}
	r := open(t, path, o)
	c, err := r.Receive(t.Context(), at(2, 9), report())
	require.NoError(t, err)
	_, _, err = r.Update(t.Context(), at(2, 9), c.ID, NewUpdate{State: StateVerified, By: "t1"})
	require.NoError(t, err)
	require.NoError(t, r.Sending(t.Context(), at(2, 9), c.ID))
	require.NoError(t, r.Sent(t.Context(), at(2, 9), c.ID, "POT-1", ""))
	_, _, err = r.Update(t.Context(), at(2, 9), c.ID, NewUpdate{State: StateAnswered, Text: "Diderek", By: "t1"})
	require.NoError(t, err)
	require.Zero(t, tellingsOf(t, r, at(2, 10))[0].Began)
	require.NoError(t, r.Close())
	v := testVersion(t)
	require.NoError(t, Restored(t.Context(), path, at(2, 10), Options{Inventory: func() *inventory.Version { return v }, Zone: wib}))
	r = open(t, path, o)
	list := tellingsOf(t, r, at(2, 11))
	require.Len(t, list, 1)
	require.Equal(t, at(2, 10), list[0].Began)
}
