package journal_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/journal"
)

// BenchmarkAppend reports readings/s for one commit (and one fsync) a batch.
func BenchmarkAppend(b *testing.B) {
	for _, n := range []int{1, 20, 100, 1000, 4000} {
		b.Run(fmt.Sprintf("batch=%d", n), func(b *testing.B) {
			j := open(b, folder(b))
			entries := batchOf(n, day0+hour)
			b.ReportAllocs()
			for b.Loop() {
				_, err := j.Append(b.Context(), entries)
				require.NoError(b, err)
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "readings/s")
		})
	}
}

// BenchmarkRead reports readings/s of a follower that reads the disk.
func BenchmarkRead(b *testing.B) {
	j := open(b, folder(b))
	for i := range 200 {
		_, err := j.Append(b.Context(), batchOf(1000, day0+hour+int64(i)*1000))
		require.NoError(b, err)
	}
	b.ReportAllocs()
	after, n := uint64(0), 0
	for b.Loop() {
		got, err := j.Read(b.Context(), after, 4096)
		require.NoError(b, err)
		n += len(got)
		if after = got[len(got)-1].Pos; after == j.Head() {
			after = 0
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "readings/s")
}

func BenchmarkAt(b *testing.B) {
	j := open(b, folder(b))
	var positions []uint64
	for i := range 288 {
		first, err := j.Append(b.Context(), batchOf(1000, day0+hour+int64(i)*1000))
		require.NoError(b, err)
		positions = append(positions, first+500)
	}
	b.ReportAllocs()
	for b.Loop() {
		_, err := j.At(b.Context(), positions)
		require.NoError(b, err)
	}
}

func BenchmarkEncodeReading(b *testing.B) {
	r, buf := spot("spot-0001", 12345, day0), []byte(nil)
	b.ReportAllocs()
	for b.Loop() {
		buf = journal.EncodeReading(buf[:0], r)
	}
	b.ReportMetric(float64(len(buf)), "bytes")
}

func BenchmarkContentHash(b *testing.B) {
	r := spot("spot-0001", 12345, day0)
	b.ReportAllocs()
	for b.Loop() {
		journal.ContentHash(r)
	}
}
