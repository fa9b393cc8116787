package ledger

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
)

// bench is books under test, fed by position.
type bench struct {
	f    *Follower
	path string
	pos  uint64
}

func newBench(t interface {
	require.TestingT
	Cleanup(func())
},
) *bench {
	path := tempFile(t)
	b := &bench{f: openIn(t, path), path: path, pos: 1}
	t.Cleanup(func() { _ = b.f.Close() })
	return b
}

// benchOf is books of a city that had one version after the other, a year and
// more ago and since day0.
func benchOf(t *testing.T, versions ...*inventory.Version) *bench {
	t.Helper()
	tl := &inventory.Timeline{}
	for i, v := range versions {
		tl.Accept(uint64(i)+1, day0-int64(len(versions)-i-1)*400*day, v)
	}
	path := tempFile(t)
	return &bench{f: testFollower(t, path, tl), path: path, pos: uint64(len(versions))}
}

func (b *bench) ctx() context.Context { return context.Background() }

func (b *bench) reopen(t require.TestingT) {
	require.NoError(t, b.f.Close())
	b.f = openIn(t, b.path)
}

// readAt books readings that come at a time.
func (b *bench) readAt(t require.TestingT, recv int64, readings ...*city.Reading) {
	for _, r := range readings {
		b.pos++
		apply(t, b.f, []journal.Entry{{Pos: b.pos, Recv: recv, Type: journal.TypeReading, Source: "test", Reading: r}})
	}
}

func (b *bench) read(t require.TestingT, readings ...*city.Reading) { b.readAt(t, day0, readings...) }

func (b *bench) credits(t require.TestingT) []CreditTotal {
	totals, err := b.f.Credits(b.ctx(), CreditQuery{})
	require.NoError(t, err)
	return totals
}

func (b *bench) accountAs(t require.TestingT, account string, filed bool) AccountTotal {
	totals, err := b.f.Summary(b.ctx(), 2026, filed)
	require.NoError(t, err)
	for _, a := range totals {
		if a.Account == account {
			return a
		}
	}
	require.Fail(t, "no such account", account)
	return AccountTotal{}
}

func (b *bench) account(t require.TestingT, account string) AccountTotal {
	return b.accountAs(t, account, false)
}

// settling is what an account has in settlement and realized.
func (b *bench) settling(t require.TestingT, account string) [2]city.Int {
	a := b.account(t, account)
	return [2]city.Int{a.InSettlement, a.Realized}
}

func (b *bench) verify(t require.TestingT) {
	_, err := b.f.Verify(b.ctx(), VerifyOptions{Scratch: filepath.Dir(b.path)})
	require.NoError(t, err)
	_, err = b.f.db.CheckSums(b.ctx()) // as the check at the start
	require.NoError(t, err)
}
