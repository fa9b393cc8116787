package ledger

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/proof"
)

// A close is told once it is durable, so that it is signed; its entry is a
// leaf, and proved, as every other.
func TestACloseIsToldAndProved(t *testing.T) {
	b := newBench(t)
	told := 0
	b.f.o.Closed = func() { told++ }
	m := &till{device: "meter-a", boot: 1}
	b.read(t, m.paper(day0, "1", 2_000, city.Cash))
	march := &journal.Close{Period: "2026-03"}
	require.Equal(t, Refused, b.book(t, april(1, 0)-1, march).Outcome)
	require.Zero(t, told, "nothing was closed")
	v := b.book(t, april(1, 0), march)
	require.Equal(t, Booked, v.Outcome)
	require.Equal(t, 1, told)
	require.Equal(t, Known, b.book(t, april(2, 0), march).Outcome)
	require.Equal(t, 1, told)

	s := testSigner(t)
	signed, err := b.f.Sign(b.ctx(), s, april(2, 1))
	require.NoError(t, err)
	p, err := b.f.Prove(b.ctx(), Selection{First: v.Entry, Last: v.Entry})
	require.NoError(t, err)
	require.NoError(t, proof.CheckInclusion(p.Entries[0].Proof, signed.Size, signed.Root, v.Entry-1, proof.LeafHash(p.Entries[0].Data)))
	e, err := DecodeEntry(p.Entries[0].Data)
	require.NoError(t, err)
	require.Equal(t, KindClose, e.Kind)
	b.verify(t)
	_, err = Verify(b.ctx(), b.path, VerifyOptions{Options: b.f.o, Memory: onDisk})
	require.NoError(t, err)
}
