package serial_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/source/serial"
	"github.com/simpang-id/simpang/internal/source/sourcetest"
	"github.com/simpang-id/simpang/internal/wire/frames"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// device is the far end of a line.
type device struct {
	t      *testing.T
	master *os.File
	lines  chan string
}

// plug makes a pty and lets name stand for it; the far end is returned.
func plug(t *testing.T, name string) *device {
	t.Helper()
	blocking, slave, err := pty.Open()
	require.NoError(t, err)
	fd, err := unix.Dup(int(blocking.Fd()))
	require.NoError(t, err)
	require.NoError(t, blocking.Close())
	require.NoError(t, unix.SetNonblock(fd, true))
	master := os.NewFile(uintptr(fd), "master") // one whose Close ends a Read
	d := &device{t: t, master: master, lines: make(chan string, 10_000)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for s := bufio.NewScanner(master); s.Scan(); {
			d.lines <- s.Text()
		}
	}()
	t.Cleanup(func() {
		_ = master.Close()
		_ = slave.Close() // held so far, so that the far end sees no hang-up between two opens
		<-done
	})
	_ = os.Remove(name)
	require.NoError(t, os.Symlink(slave.Name(), name))
	return d
}

func (d *device) send(text string) {
	d.t.Helper()
	_, err := d.master.WriteString(text)
	require.NoError(d.t, err)
}

// answer is the next line from the gateway.
func (d *device) answer() string {
	d.t.Helper()
	select {
	case line := <-d.lines:
		return line
	case <-time.After(sourcetest.Wait):
		require.FailNow(d.t, "no answer")
		return ""
	}
}

func (d *device) silent() {
	d.t.Helper()
	select {
	case line := <-d.lines:
		require.FailNow(d.t, "an answer", "%q", line)
	case <-time.After(sourcetest.Quiet):
	}
}

func spot(t *testing.T, id string, seq uint64) string {
	t.Helper()
	line, err := frames.Encode(&city.Reading{
		Device: id, Kind: city.KindSpot, HasBoot: true, Boot: 3, Seq: seq, At: 1_790_000_000_000, Spot: &city.Spot{Occupied: true},
	})
	require.NoError(t, err)
	return string(line)
}

func ack(id string, seq uint64) string {
	return strings.TrimRight(string(frames.Ack(id, true, 3, seq)), "\r\n")
}

func start(t *testing.T, sink source.Sink, change ...func(*serial.Options)) (*serial.Source, string, func()) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "meter")
	o := serial.Options{
		ID: "line", Port: name, Baud: 115200, Sink: sink, Log: slog.New(slog.DiscardHandler),
		MinBackoff: 5 * time.Millisecond, MaxBackoff: 20 * time.Millisecond,
	}
	for _, c := range change {
		c(&o)
	}
	s, err := serial.New(o)
	require.NoError(t, err)
	return s, name, sourcetest.Run(t, s, false)
}

func connected(t *testing.T, s *serial.Source) {
	t.Helper()
	sourcetest.Until(t, func() bool { return s.Status().Connected }, "the line is not open: %+v", s)
}

func TestAckComesOnlyAfterDone(t *testing.T) {
	sink := sourcetest.NewSink(16)
	s, name, _ := start(t, sink)
	d := plug(t, name)
	connected(t, s)
	d.send(spot(t, "d1", 7))
	m := sink.Take(t)
	require.Equal(t, "line", m.Source)
	require.Equal(t, "d1", m.Device)
	require.False(t, m.Silent)
	require.Equal(t, spot(t, "d1", 7), string(m.Payload))
	require.Equal(t, uint64(7), m.Decoded.Readings[0].Seq)
	d.silent()
	m.Done(true)
	require.Equal(t, ack("d1", 7), d.answer())
	m.Done(true)
	d.silent()
	require.Equal(t, uint64(1), s.Stats().Acked.Load())
	require.Equal(t, uint64(1), s.Status().Received)
}

func TestAcksComeInOrder(t *testing.T) {
	sink := sourcetest.NewSink(64)
	s, name, _ := start(t, sink)
	d := plug(t, name)
	connected(t, s)
	var taken []source.Message
	for n := range uint64(50) {
		d.send(spot(t, "d1", n))
		taken = append(taken, sink.Take(t))
	}
	for i := len(taken) - 1; i > 0; i-- {
		taken[i].Done(i != 5) // one was not taken
	}
	d.silent()
	taken[0].Done(true)
	for n := range uint64(50) {
		if n != 5 {
			require.Equal(t, ack("d1", n), d.answer())
		}
	}
	d.silent()
	require.Equal(t, uint64(1), s.Stats().NotTaken.Load())
	d.send(spot(t, "d1", 5)) // again, as a device does that got no answer
	sink.TakeDone(t)
	require.Equal(t, ack("d1", 5), d.answer())
}

func TestWhatIsAndIsNotAnswered(t *testing.T) {
	good := spot(t, "d1", 1)
	seal := func(body string) string {
		sum := byte(0)
		for i := range len(body) {
			sum ^= body[i]
		}
		return fmt.Sprintf("$%s*%02X\r\n", body, sum)
	}
	tests := []struct {
		name, text string
		reason     city.Reason
		answer     string
	}{
		{"checksum", strings.Replace(good, "d1", "d2", 1), city.ReasonChecksum, ""},
		{"too long", "$" + strings.Repeat("x", 300) + "\r\n", city.ReasonLineTooLong, ""},
		{"noise", "no sentence\r\n", city.ReasonNotFrame, ""},
		{"impossible", seal("PSGSP,d1,3,8,1790000000000,2"), "", ack("d1", 8)},
		{"unknown kind", seal("PSGXX,d1,3,9,1790000000000,1"), city.ReasonUnknownKind, ack("d1", 9)},
		{"no number", seal("PSGSP,d1,3,,1790000000000,1"), "", ""},
		{"somebody else's", seal("GPGGA,1,2"), city.ReasonNotFrame, ""},
	}
	sink := sourcetest.NewSink(64)
	s, name, _ := start(t, sink)
	d := plug(t, name)
	connected(t, s)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d.t = t
			d.send(tt.text)
			m := sink.Take(t)
			require.Empty(t, m.Decoded.Readings)
			if tt.reason != "" {
				require.Equal(t, tt.reason, m.Decoded.Refused[0].Reason)
			}
			require.Equal(t, tt.answer == "", m.Silent)
			m.Done(true) // even if told so, nothing is answered where nothing may be
			if tt.answer == "" {
				d.silent()
			} else {
				require.Equal(t, tt.answer, d.answer())
			}
			d.send(good)
			sink.TakeDone(t)
			require.Equal(t, ack("d1", 1), d.answer())
		})
	}
}

func TestBinaryNoiseBetweenSentences(t *testing.T) {
	sink := sourcetest.NewSink(64)
	s, name, _ := start(t, sink, func(o *serial.Options) { o.NoiseRate = 2 })
	d := plug(t, name)
	connected(t, s)
	chance := rand.New(rand.NewPCG(1, 2))
	const all = 200
	seen := make(chan uint64, all)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	silent := make(chan struct{}, 10*all)
	go func() {
		for {
			select {
			case m := <-sink.Messages():
				for _, r := range m.Decoded.Readings {
					seen <- r.Seq
				}
				if m.Silent {
					silent <- struct{}{}
				}
				m.Done(!m.Silent)
			case <-ctx.Done():
				return
			}
		}
	}()
	for n := range uint64(all) {
		noise := make([]byte, chance.IntN(600))
		for i := range noise {
			noise[i] = byte(chance.UintN(256))
		}
		d.send(string(noise) + "\n" + spot(t, "d1", n))
		require.Equal(t, ack("d1", n), d.answer())
		require.Equal(t, n, <-seen)
	}
	require.NotZero(t, s.Stats().NoiseDropped.Load(), "the rest is counted only")
	require.Equal(t, s.Stats().Noise.Load(), uint64(len(silent)))
	require.Less(t, len(silent), 60)
}

func TestUnplugAndReplug(t *testing.T) {
	sink := sourcetest.NewSink(64)
	s, name, _ := start(t, sink)
	sourcetest.Until(t, func() bool { return s.Stats().Failures.Load() > 2 }, "it tries")
	require.Contains(t, s.Status().Detail, "plugged in")
	first := plug(t, name)
	connected(t, s)
	first.send(spot(t, "d1", 1))
	unfinished := sink.Take(t)

	// The plug is drawn: the far end hangs up and the name goes.
	require.NoError(t, first.master.Close())
	require.NoError(t, os.Remove(name))
	sourcetest.Until(t, func() bool { return !s.Status().Connected }, "the unplugging was not seen")
	unfinished.Done(true) // of a line that is gone

	second := plug(t, name)
	connected(t, s)
	second.send(spot(t, "d1", 1)) // it got no answer
	sink.TakeDone(t)
	require.Equal(t, ack("d1", 1), second.answer())
	second.silent()

	// Another device under the same name, while the old one is still there.
	third := plug(t, name)
	sourcetest.Until(t, func() bool { return s.Stats().Opens.Load() == 3 }, "the other device was not seen")
	connected(t, s)
	third.send(spot(t, "d2", 1))
	sink.TakeDone(t)
	require.Equal(t, ack("d2", 1), third.answer())
}

func TestHalfASentenceBeforeTheReplug(t *testing.T) {
	sink := sourcetest.NewSink(64)
	s, name, _ := start(t, sink)
	first := plug(t, name)
	connected(t, s)
	first.send("$PSGSP,d1,3,1,17900")
	time.Sleep(sourcetest.Quiet)
	second := plug(t, name)
	sourcetest.Until(t, func() bool { return s.Stats().Opens.Load() == 2 }, "the other device was not seen")
	second.send(spot(t, "d1", 2))
	require.Equal(t, uint64(2), sink.TakeDone(t).Decoded.Readings[0].Seq)
}

func TestAQuietLineIsNotUnplugged(t *testing.T) {
	sink := sourcetest.NewSink(64)
	s, name, _ := start(t, sink)
	d := plug(t, name)
	connected(t, s)
	time.Sleep(1500 * time.Millisecond)
	require.Equal(t, uint64(1), s.Stats().Opens.Load())
	d.send(spot(t, "d1", 1))
	sink.TakeDone(t)
	require.Equal(t, ack("d1", 1), d.answer())
}

// A line that fell silent is opened anew, less and less often while that brings
// nothing; what the device was not answered it sends again.
func TestSilence(t *testing.T) {
	sink := sourcetest.NewSink(8)
	s, name, _ := start(t, sink, func(o *serial.Options) { o.MaxSilence = 200 * time.Millisecond })
	d := plug(t, name)
	began := time.Now()
	sourcetest.Until(t, func() bool { return s.Stats().Opens.Load() > 3 }, "silence did not open the line anew")
	require.Greater(t, time.Since(began), (400+800)*time.Millisecond) // the first wait began earlier
	status := s.Status()
	require.GreaterOrEqual(t, status.Restarts, uint64(3))
	require.Equal(t, status.Connects, status.Restarts+1)

	connected(t, s)
	d.send(spot(t, "d1", 1))
	taken := sink.Take(t)
	restarts := s.Stats().Silences.Load()
	time.Sleep(time.Second)
	require.Equal(t, restarts, s.Stats().Silences.Load(), "a sentence waits for its commit: the silence is ours")
	require.Equal(t, 1, s.Status().Unacked)
	taken.Done(false) // not taken, not answered: a wait that begins at the first again
	sourcetest.Until(t, func() bool { return s.Stats().Silences.Load() > restarts }, "silence again")
	connected(t, s)
	d.send(spot(t, "d1", 1))
	require.Equal(t, uint64(1), sink.TakeDone(t).Decoded.Readings[0].Seq)
	require.Equal(t, ack("d1", 1), d.answer())
	require.Zero(t, s.Status().Unacked)
}

func TestAFullSinkHoldsTheLineBack(t *testing.T) {
	const window, all = 4, 300
	sink := sourcetest.NewSink(0)
	s, name, _ := start(t, sink, func(o *serial.Options) { o.Window = window })
	d := plug(t, name)
	connected(t, s)
	var text strings.Builder
	for n := range uint64(all) {
		text.WriteString(spot(t, "d1", n))
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = d.master.WriteString(text.String())
	}()
	var taken []source.Message
	for range window {
		taken = append(taken, sink.Take(t))
	}
	sink.None(t)
	require.Equal(t, uint64(window+1), s.Stats().Received.Load(), "one waits for its place")
	for n := range uint64(all) {
		if len(taken) == 0 {
			taken = append(taken, sink.Take(t))
		}
		taken[0].Done(true)
		taken = taken[1:]
		require.Equal(t, ack("d1", n), d.answer())
	}
	<-sent
}

func TestStopWhileTheSinkIsFull(t *testing.T) {
	s, name, stop := start(t, sourcetest.NewSink(0))
	d := plug(t, name)
	connected(t, s)
	d.send(spot(t, "d1", 1))
	sourcetest.Until(t, func() bool { return s.Stats().Received.Load() == 1 }, "it came")
	stop()
	require.False(t, s.Status().Connected)
}

func TestTheLineIsLocked(t *testing.T) {
	s, name, _ := start(t, sourcetest.NewSink(1))
	plug(t, name)
	connected(t, s)
	other, err := serial.New(serial.Options{ID: "other", Port: name, Sink: sourcetest.NewSink(1), Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	sourcetest.Run(t, other, false)
	sourcetest.Until(t, func() bool { return strings.Contains(other.Status().Detail, "another program uses it") }, "%+v", other)
}

func TestNoLine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	s, err := serial.New(serial.Options{ID: "x", Port: file, Sink: sourcetest.NewSink(1), Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	sourcetest.Run(t, s, false)
	sourcetest.Until(t, func() bool { return s.Stats().Failures.Load() > 0 }, "a file is no line")
	sourcetest.Until(t, func() bool { return strings.Contains(s.Status().Detail, unix.ENOTTY.Error()) }, "%+v", s)
}

func TestOptionsAreChecked(t *testing.T) {
	_, err := serial.New(serial.Options{Baud: 9601, DataBits: 9, Parity: "mark", StopBits: 3, Window: -1})
	for _, what := range []string{"id", "port", "baud 9601", "data_bits", "parity", "stop_bits", "sink", "limit"} {
		require.ErrorContains(t, err, what)
	}
	require.False(t, bytes.Contains([]byte(err.Error()), []byte("%!")))
}
