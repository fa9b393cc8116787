package serial_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/source/serial"
	"github.com/simpang-id/simpang/internal/source/sourcetest"
	"github.com/simpang-id/simpang/internal/spool"
	"github.com/simpang-id/simpang/internal/wire/escpos"
)

const (
	start0 = "\x1b@"
	cut    = "\x1dVB\x03"
)

// struk is a receipt as a till prints it, a picture above.
func struk(number, amount string) string {
	picture := "\x1dv0\x00\x04\x00\x02\x00" + "\x1b@\x1dV\x00ABC"
	return start0 + picture + "PARKIR\nNo. Struk: " + number + "\nNopol: B 1234 KXY\nTOTAL: Rp " + amount + "\n\x1bp\x00\x19\xfa" + cut
}

func templates(t *testing.T) *escpos.Templates {
	t.Helper()
	set, problems := escpos.Compile(&escpos.File{Templates: []escpos.Layout{
		{Name: "report", Kind: "other", Match: []string{"laporan"}},
		{Name: "struk", Match: []string{"parkir"}, Number: []string{`struk: (\S+)`}, Amount: []string{`total: (.*)$`}, Plate: []string{`nopol: (.*)$`}, Method: "cash"},
	}}, time.UTC)
	require.Empty(t, problems)
	return set
}

// till is a tapped line.
type till struct {
	*device
	t    *testing.T
	src  *serial.Source
	file *spool.Spool
	path string
	name string
	sink *sourcetest.Sink
	stop func()
}

func newTill(t *testing.T, size int) *till {
	t.Helper()
	return newSlowTill(t, size, 300*time.Millisecond)
}

// newSlowTill is a till whose prints end after an idle time.
func newSlowTill(t *testing.T, size int, idle time.Duration) *till {
	t.Helper()
	dir := t.TempDir()
	x := &till{t: t, path: filepath.Join(dir, "spool.db"), name: filepath.Join(dir, "till")}
	x.device = plug(t, x.name)
	x.begin(size, idle)
	return x
}

// begin starts the gateway's part.
func (x *till) begin(size int, idle time.Duration) {
	x.t.Helper()
	var err error
	x.file, err = spool.Open(x.t.Context(), x.path, [spool.KeySize]byte{1}, 0)
	require.NoError(x.t, err)
	file := x.file
	x.t.Cleanup(func() { _ = file.Close() })
	x.sink = sourcetest.NewSink(size)
	var name string
	x.src, name, x.stop = start(x.t, x.sink, func(o *serial.Options) {
		o.Port, o.Tap = x.name, &serial.Tap{Device: "TILL-1", Templates: templates(x.t), Spool: x.file, Idle: idle}
	})
	_ = name
	connected(x.t, x.src)
}

// receipt is the next message, which must be one receipt; it is committed.
func (x *till) receipt() (city.Reading, source.Message) {
	x.t.Helper()
	m := x.sink.Take(x.t)
	require.Equal(x.t, "TILL-1", m.Device)
	require.False(x.t, m.Silent)
	require.Len(x.t, m.Decoded.Readings, 1, "%+v", m.Decoded.Refused)
	return m.Decoded.Readings[0], m
}

func (x *till) refused() city.Refusal {
	x.t.Helper()
	m := x.sink.TakeDone(x.t)
	require.Len(x.t, m.Decoded.Refused, 1)
	require.Empty(x.t, m.Decoded.Readings)
	return m.Decoded.Refused[0]
}

func TestATillsReceipts(t *testing.T) {
	x := newTill(t, 16)
	x.send(struk("A-1", "5.000") + struk("A-2", "12.500"))
	first, m := x.receipt()
	require.Equal(t, "A-1", first.Receipt.Number)
	require.Equal(t, city.Rupiah(5000), first.Receipt.Amount)
	require.Equal(t, "B 1234 KXY", first.Receipt.Plate, "intake makes a keyed hash of it")
	m.Done(true)
	second, m := x.receipt()
	require.Equal(t, city.Rupiah(12500), second.Receipt.Amount)
	require.Equal(t, first.Boot, second.Boot)
	require.Equal(t, first.Seq+1, second.Seq)
	m.Done(true)

	x.send(start0 + "LAPORAN SHIFT\nTOTAL: Rp 99.000\n" + cut)
	x.send(start0 + "WARUNG\nTOTAL: Rp 1.000\n" + cut)
	require.Equal(t, city.ReasonUnreadPrint, x.refused().Reason)
	x.send("PARKIR\nNo. Struk: A-3\nTOTAL: Rp 2.000\n") // no cut: silence ends it
	third, m := x.receipt()
	require.Equal(t, second.Seq+2, third.Seq, "a report that is no receipt leaves no gap")
	m.Done(true)
	sourcetest.Until(t, func() bool { return x.file.Counts().Waiting == 0 }, "something waits: %+v", x.src)
	require.Equal(t, 5, x.file.Counts().Jobs, "all of it is kept")
	x.silent()
	counts := map[string]uint64{}
	for _, c := range x.src.Status().Counts {
		counts[c.What] = c.N
	}
	require.Equal(t, []uint64{3, 1, 1, 0}, []uint64{counts["receipts"], counts["unread"], counts["no_receipt"], counts["noise"]})
}

// TestATillIsTakenOnce: what was not committed comes again under the same
// identity; what was comes not.
func TestATillIsTakenOnce(t *testing.T) {
	x := newTill(t, 16)
	x.send(struk("A-1", "5.000") + struk("A-2", "6.000") + struk("A-3", "7.000"))
	a, m := x.receipt()
	m.Done(true)
	b, m := x.receipt()
	m.Done(false) // the gateway stops
	c, m := x.receipt()
	m.Done(false)
	sourcetest.Until(t, func() bool { return x.file.Counts().Waiting == 2 }, "%+v", x.src)
	x.stop()
	require.NoError(t, x.file.Close())

	x.begin(16, 300*time.Millisecond)
	for _, want := range []city.Reading{b, c} {
		got, m := x.receipt()
		require.Equal(t, want, got)
		m.Done(true)
	}
	x.send(struk("A-4", "8.000"))
	d, m := x.receipt()
	m.Done(true)
	require.Greater(t, d.Boot, a.Boot, "a new start")
}

func TestAReceiptThatIsCutOffIsKeptAndNotRead(t *testing.T) {
	x := newSlowTill(t, 16, time.Minute)
	whole := struk("A-1", "5.000")
	half := strings.Index(whole, "TOTAL")
	x.send(whole[:half])
	sourcetest.Until(t, func() bool { return x.file.Counts().Bytes == int64(half) }, "the head is not durable: %+v", x.src)
	x.stop()
	require.NoError(t, x.file.Close())
	x.begin(16, time.Minute) // the tail comes before any silence
	r := x.refused()
	require.Equal(t, city.ReasonPartPrint, r.Reason)
	require.True(t, r.Seq.OK)
	x.send(whole[half:])
	require.Equal(t, city.ReasonPartPrint, x.refused().Reason, "and it holds number and amount of nothing")
}

func TestUnpluggedInTheMiddle(t *testing.T) {
	x := newTill(t, 16)
	whole := struk("A-1", "5.000")
	x.send(whole[:len(whole)-4])
	sourcetest.Until(t, func() bool { return x.src.Stats().TapBytes.Load() == uint64(len(whole)-4) }, "%+v", x.src)
	x.device = plug(t, x.name)
	require.Equal(t, city.ReasonPartPrint, x.refused().Reason)
	sourcetest.Until(t, func() bool { return x.src.Stats().Opens.Load() == 2 }, "%+v", x.src)
	x.send(struk("A-2", "6.000"))
	got, m := x.receipt()
	require.Equal(t, "A-2", got.Receipt.Number)
	m.Done(true)
}

// TestNoiseOnATill: ten megabytes cost their count.
func TestNoiseOnATill(t *testing.T) {
	const most = 10 << 20
	x := newTill(t, 64)
	dice := rand.NewChaCha8([32]byte{7})
	piece := make([]byte, 64<<10)
	for range most / len(piece) {
		_, _ = dice.Read(piece)
		_, err := x.master.Write(piece)
		require.NoError(t, err)
	}
	sourcetest.Until(t, func() bool { return x.src.Stats().TapBytes.Load() == most }, "%+v", x.src)
	// A receipt is read again as soon as the line was silent before one.
	var got city.Reading
	for n := 1; got.Receipt == nil; n++ {
		x.send(struk(fmt.Sprint("A-", n), "5.000"))
		for end := time.After(700 * time.Millisecond); got.Receipt == nil; {
			select {
			case m := <-x.sink.Messages():
				m.Done(true)
				for _, r := range m.Decoded.Refused {
					require.Contains(t, []city.Reason{city.ReasonNotPrint, city.ReasonPartPrint}, r.Reason)
					require.LessOrEqual(t, len(r.Raw), 128<<10)
				}
				for _, r := range m.Decoded.Readings {
					got = r
				}
				continue
			case <-end:
			}
			break
		}
		require.Less(t, n, 40, "no receipt is read any more")
	}
	require.Equal(t, city.Rupiah(5000), got.Receipt.Amount)
	require.Positive(t, x.src.Stats().NoiseDropped.Load())
	require.LessOrEqual(t, x.src.Stats().Noise.Load(), uint64(8))
	require.Less(t, x.file.Counts().Bytes, int64(6<<20))
}
