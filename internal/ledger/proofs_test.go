package ledger

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/proof"
	"github.com/simpang-id/simpang/internal/sqlite"
)

func testSigner(t require.TestingT) Signer {
	key, err := proof.NewKey(proof.Name("test"))
	require.NoError(t, err)
	return Signer{Key: key, City: "test"}
}

func TestEveryEntryIsProved(t *testing.T) {
	k := keep(t)
	s := testSigner(t)
	all := entriesOf(t, k.f)
	newest := uint64(len(all))
	none, err := k.f.Checkpoint(t.Context())
	require.NoError(t, err)
	require.Nil(t, none)
	_, err = k.f.Prove(t.Context(), Selection{First: 1, Last: 1})
	require.ErrorIs(t, err, ErrUnsigned)
	_, err = k.f.Grown(t.Context(), 1, 2)
	require.ErrorIs(t, err, ErrUnsigned)

	c, err := k.f.Sign(t.Context(), s, day0+1234)
	require.NoError(t, err)
	require.Equal(t, newest, c.Size)
	require.Equal(t, day0+1000, c.At)
	again, err := k.f.Sign(t.Context(), s, day0+hour)
	require.NoError(t, err)
	require.Equal(t, c.Note, again.Note, "nothing came")

	p, err := k.f.Prove(t.Context(), Selection{First: 1, Last: newest + 5})
	require.NoError(t, err)
	require.Len(t, p.Entries, len(all))
	told, err := p.Bundle().Check(s.Key.Public())
	require.NoError(t, err)
	require.Equal(t, c.Root, told.Root)
	for i, e := range p.Entries {
		require.Equal(t, AppendEntry(nil, all[i]), e.Data)
	}

	// A receipt's proof has its own entry and every correction of it.
	for _, e := range all[:40] {
		if e.Pos != e.Cause {
			continue
		}
		var want, is []uint64
		for _, other := range all {
			if other.Pos == e.Pos {
				want = append(want, other.N)
			}
		}
		id := ReceiptID(&city.Reading{Device: e.Device, HasBoot: e.HasBoot, Boot: e.Boot, Seq: e.Seq})
		p, err := k.f.Prove(t.Context(), Selection{Receipts: []string{id, id}})
		require.NoError(t, err)
		for _, one := range p.Entries {
			is = append(is, one.Leaf+1)
		}
		require.Equal(t, want, is, id)
	}
	site, err := k.f.Prove(t.Context(), Selection{Site: "site-a", From: day0, To: day0 + day})
	require.NoError(t, err)
	for _, one := range site.Entries {
		e, err := DecodeEntry(one.Data)
		require.NoError(t, err)
		require.Equal(t, "site-a", e.Site)
	}
	for _, wrong := range []Selection{
		{Receipts: []string{"meter-a:1:99999"}},
		{Receipts: []string{"meter-a"}},
		{Receipts: []string{"meter-a:x:1"}},
		{Receipts: []string{"::1"}},
		{Site: "nowhere", To: day0 + day},
		{First: newest + 1, Last: newest + 2},
		{First: 1, Last: MostProved * 3},
		{},
	} {
		_, err := k.f.Prove(t.Context(), wrong)
		var e *city.Error
		require.ErrorAs(t, err, &e, "%+v", wrong)
	}
}

func TestTheLogGrows(t *testing.T) {
	f := newFollower(t)
	s := testSigner(t)
	m := &till{device: "meter-a", boot: 1}
	var notes []*Checkpoint
	empty, err := f.Sign(t.Context(), s, day0)
	require.NoError(t, err)
	require.Zero(t, empty.Size)
	notes = append(notes, empty)
	var all []*city.Reading
	for i := range 6 {
		for range i * 100 {
			all = append(all, m.paper(day0+int64(len(all))*minute, strings.Repeat("x", 1+i)+string(rune('a'+i)), 2000, city.Cash))
		}
		apply(t, f, log(all...))
		c, err := f.Sign(t.Context(), s, day0+int64(i)*hour)
		require.NoError(t, err)
		notes = append(notes, c)
		require.Equal(t, empty.Origin, c.Origin)
	}
	for _, old := range notes {
		for _, c := range notes {
			g, err := f.Grown(t.Context(), old.Size, c.Size)
			if old.Size > c.Size && c.Size > 0 {
				require.Error(t, err)
				continue
			}
			require.NoError(t, err)
			to, root := c.Size, c.Root
			if to == 0 { // the newest
				to, root = notes[len(notes)-1].Size, notes[len(notes)-1].Root
			}
			require.NoError(t, proof.CheckConsistency(g.Proof, old.Size, old.Root, to, root))
			require.Equal(t, old.Note, g.OldNote)
		}
	}

	// Another key is another log, linked to the one before.
	other := testSigner(t)
	last := notes[len(notes)-1]
	c, err := f.Sign(t.Context(), other, day0+day)
	require.NoError(t, err)
	require.NotEqual(t, last.Origin, c.Origin)
	require.Equal(t, &proof.Previous{Origin: last.Origin, Size: last.Size, Root: last.Root}, c.Before)
	require.Equal(t, last.Size, c.Size)
	again, err := f.Sign(t.Context(), other, day0+2*day)
	require.NoError(t, err)
	require.Equal(t, c.Note, again.Note)
}

func TestNothingIsSignedThatDoesNotGoOn(t *testing.T) {
	k := keep(t)
	s := testSigner(t)
	_, err := k.f.Sign(t.Context(), s, day0)
	require.NoError(t, err)
	// Somebody rewrites an entry's leaf with all that stands above it.
	require.NoError(t, k.f.db.Tx(t.Context(), func(tx *sql.Tx) error {
		tree, err := proof.OpenTree(0, nil)
		require.NoError(t, err)
		for _, e := range entriesOf(t, k.f) {
			if e.N == 7 {
				e.Amount++
			}
			tree.Append(proof.LeafHash(AppendEntry(nil, e)))
		}
		return writeTiles(t.Context(), tx, tree)
	}))
	require.NoError(t, k.f.Close())
	f := testFollower(t, k.path(), k.tl)
	m := &till{device: "meter-d", boot: 1}
	entries := log(m.paper(day0, "1", 2000, city.Cash))
	entries[0].Pos = f.Cursor() + 1
	apply(t, f, entries)
	_, err = f.Sign(t.Context(), s, day0+hour)
	var d *DisagreementError
	require.ErrorAs(t, err, &d)
	require.Equal(t, "checkpoint", d.Table)
}

func TestRestoredBooksBeginALog(t *testing.T) {
	k := keep(t)
	s := testSigner(t)
	copied := func() string {
		path := filepath.Join(t.TempDir(), "ledger.db")
		require.NoError(t, k.f.db.CopyTo(t.Context(), path))
		return path
	}
	nothing, err := BeginLog(t.Context(), copied(), s, day0)
	require.NoError(t, err)
	require.Nil(t, nothing, "nothing was signed before")
	before, err := k.f.Sign(t.Context(), s, day0)
	require.NoError(t, err)
	path := copied()
	c, err := BeginLog(t.Context(), path, s, day0+hour)
	require.NoError(t, err)
	require.Equal(t, before.Size, c.Size)
	require.NotEqual(t, before.Origin, c.Origin)
	require.Equal(t, &proof.Previous{Origin: before.Origin, Size: before.Size, Root: before.Root}, c.Before)
	f := testFollower(t, path, k.tl)
	next, err := f.Sign(t.Context(), s, day0+day)
	require.NoError(t, err)
	require.Equal(t, c.Note, next.Note)
}

// Books of before the tree get it when they are opened.
func TestBooksOfBeforeGetTheirTree(t *testing.T) {
	k := keep(t)
	want := dump(t, k.f)
	for _, change := range []string{"DELETE FROM tile", "DELETE FROM tile WHERE level = 7"} {
		path := filepath.Join(t.TempDir(), "ledger.db")
		require.NoError(t, k.f.db.CopyTo(t.Context(), path))
		db, err := sqlite.Open(t.Context(), path, sqlite.Options{})
		require.NoError(t, err)
		_, err = db.W.Exec(change)
		require.NoError(t, err)
		require.NoError(t, db.Close())
		require.Equal(t, want, dump(t, testFollower(t, path, k.tl)))
	}
	path := filepath.Join(t.TempDir(), "ledger.db")
	require.NoError(t, k.f.db.CopyTo(t.Context(), path))
	db, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	require.NoError(t, err)
	_, err = db.W.Exec("DELETE FROM tile; DELETE FROM entry WHERE n = 9")
	require.NoError(t, err)
	require.NoError(t, db.Close())
	_, err = Open(t.Context(), path, Options{Timeline: k.tl, Zone: wib})
	require.ErrorContains(t, err, "entry 9 is missing")
	require.NotErrorIs(t, err, sql.ErrNoRows)
}
