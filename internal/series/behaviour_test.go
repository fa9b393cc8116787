package series_test

import (
	"testing"

	"github.com/simpang-id/simpang/internal/series/seriestest"
)

// The suite of whoever answers for readings, on the journal, on the archive, and
// on both; the model that other tests stand on passes it too.
func TestBehaviour(t *testing.T) {
	b := newBed(t)
	b.fill(3, day0, 3, 500)
	t.Run("journal", func(t *testing.T) { seriestest.Run(t, b.f, b.truth, 40) })
	b.seal()
	b.fill(4, day0+3*day, 1, 300)
	t.Run("archive and journal", func(t *testing.T) { seriestest.Run(t, b.f, b.truth, 40) })
	t.Run("model", func(t *testing.T) { seriestest.Run(t, seriestest.Model(b.truth), b.truth, 40) })
}
