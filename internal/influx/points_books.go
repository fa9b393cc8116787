package influx

import (
	"time"

	"github.com/simpang-id/simpang/internal/ledger"
)

const msPerDay = 24 * 60 * 60 * 1000

// bookEntry appends the point of an entry of the books: no plate, no number of
// a receipt, no taxpayer, and nothing of what staff wrote but its sums.
func bookEntry(b *batch, o Origin, e *ledger.Entry) {
	dst := append(b.text, "books"...)
	dst = appendTag(dst, "account", e.Account)
	dst = appendTag(dst, "city", o.City)
	dst = appendTag(dst, "class", e.Class.String())
	dst = appendTag(dst, "device", e.Device)
	dst = appendTag(dst, "gateway", o.Gateway)
	dst = appendTag(dst, "kecamatan", e.Kecamatan)
	dst = appendTag(dst, "kind", e.Kind.String())
	dst = appendTag(dst, "levy", string(e.Levy))
	dst = appendTag(dst, "method", e.Method.String())
	dst = appendTag(dst, "site", e.Site)
	f := &fields{b: append(dst, ' ')}
	f.int("n", int64(e.N))
	f.int("pos", int64(e.Pos))
	if e.Ref != 0 {
		f.int("ref", int64(e.Ref))
	}
	f.int("amount", int64(e.Amount))
	f.int("face", int64(e.Face))
	f.int("count", e.Count)
	f.int("flags", int64(e.Flags))
	f.text("day", time.UnixMilli(int64(e.Day)*msPerDay).UTC().Format(time.DateOnly))
	b.line(f.end(nanos(e.At, bookTie(e))))
}

// bookTie tells entries of one time apart. A reading has one entry of its own
// kind; of the others, numbers tell.
func bookTie(e *ledger.Entry) uint64 {
	switch e.Kind {
	case ledger.KindReceipt, ledger.KindVoid, ledger.KindReprint, ledger.KindKept:
		return tieOf(e.Boot, e.Seq)
	default:
		return e.N
	}
}
