package ledger

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/journal"
)

// BenchmarkDepositFile books a file of 2,000 deposits, tried before.
func BenchmarkDepositFile(b *testing.B) {
	books := newBench(b)
	for i := range b.N {
		lines := make([]journal.Line, 2000)
		for k := range lines {
			lines[k] = deposit(fmt.Sprintf("d-%d-%d", i, k), "settlement", 1000, 7)
		}
		require.Equal(b, Booked, books.book(b, day0, lines...).Outcome)
	}
}
