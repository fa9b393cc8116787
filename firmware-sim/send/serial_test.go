package send_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tarm/serial"

	"github.com/simpang-id/simpang/firmware-sim/message"
	"github.com/simpang-id/simpang/firmware-sim/send"
	"github.com/simpang-id/simpang/firmware-sim/truth"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire/frames"
)

// gateway answers sentences on the other end of a line; every third new one
// only the second time.
type gateway struct {
	mu      sync.Mutex
	readers sync.WaitGroup
	port    io.ReadWriteCloser
	stop    chan struct{}
	seen    map[string]int
	order   []city.Reading
}

func openGateway(t *testing.T, path string, seen map[string]int) *gateway {
	t.Helper()
	port, err := serial.OpenPort(&serial.Config{Name: path, Baud: send.Baud, ReadTimeout: 100 * time.Millisecond})
	require.NoError(t, err)
	g := &gateway{port: port, seen: seen, stop: make(chan struct{})}
	g.readers.Go(g.run)
	return g
}

func (g *gateway) run() {
	var scanner frames.Scanner
	buf := make([]byte, 512)
	for {
		select {
		case <-g.stop:
			return
		default:
		}
		n, _ := g.port.Read(buf) // a time-out reads as io.EOF
		scanner.Feed(buf[:n], func(line []byte, _ *city.Refusal) {
			d, _ := frames.Decode(line)
			if len(d.Readings) == 0 {
				return
			}
			r := d.Readings[0]
			g.mu.Lock()
			defer g.mu.Unlock()
			id := fmt.Sprintf("%s:%d", r.Device, r.Seq)
			g.seen[id]++
			if g.seen[id] == 1 {
				g.order = append(g.order, r)
			}
			if len(g.order)%3 == 0 && g.seen[id] == 1 {
				return
			}
			_, _ = g.port.Write(append([]byte("\x00noise"), frames.Ack(r.Device, r.HasBoot, r.Boot, r.Seq)...))
		})
	}
}

func (g *gateway) close(t *testing.T) {
	t.Helper()
	close(g.stop)
	g.readers.Wait()
	require.NoError(t, g.port.Close())
}

// Over a real pty: sentences are sent again until they are answered, those of
// one device in order, and the line lives on while the gateway is away.
func TestSerialOverAPTY(t *testing.T) {
	link := filepath.Join(t.TempDir(), "tty-gate")
	port, path, err := send.OpenPort("pty:" + link)
	require.NoError(t, err)
	require.Equal(t, link, path)
	var r reports
	s := send.NewSerial(send.SerialOptions{Port: port, Report: r.report, Log: slog.New(slog.DiscardHandler), Resend: 100 * time.Millisecond})

	const devices, each = 7, 30
	seen := map[string]int{}
	first := openGateway(t, path, seen)
	for seq := range uint64(each) {
		for i := range devices {
			require.NoError(t, s.Send(t.Context(), spot(t, fmt.Sprintf("dev-%d", i), seq, message.Frames)))
		}
	}
	require.Eventually(t, func() bool { return r.count(truth.Delivered) > devices*each/3 }, 20*time.Second, 5*time.Millisecond)
	first.close(t)
	second := openGateway(t, path, seen)
	require.NoError(t, s.Idle(t.Context()))
	second.close(t)
	require.NoError(t, s.Close())

	require.Equal(t, devices*each, r.count(truth.Delivered))
	require.Positive(t, r.count(truth.Resent))
	require.Zero(t, r.count(truth.Unacked))
	next := map[string]uint64{}
	for _, reading := range append(first.order, second.order...) {
		require.Equal(t, next[reading.Device], reading.Seq, reading.Device)
		next[reading.Device]++
	}
	require.Len(t, next, devices)
	_, err = os.Lstat(link)
	require.ErrorIs(t, err, os.ErrNotExist)
}

// A broken sentence that nobody answers does not hold up its device for ever.
func TestSerialGivesUpOnBrokenSentences(t *testing.T) {
	port, path, err := send.OpenPort("auto")
	require.NoError(t, err)
	var r reports
	s := send.NewSerial(send.SerialOptions{Port: port, Report: r.report, Log: slog.New(slog.DiscardHandler), Resend: 50 * time.Millisecond})
	g := openGateway(t, path, map[string]int{})
	require.NoError(t, s.Send(t.Context(), spot(t, "dev-1", 0, message.Frames).Broken(message.Word, message.Frames)))
	require.NoError(t, s.Send(t.Context(), spot(t, "dev-1", 1, message.Frames)))
	require.NoError(t, s.Idle(t.Context()))
	g.close(t)
	require.NoError(t, s.Close())
	require.Equal(t, 1, r.count(truth.Unacked))
	require.Equal(t, 1, r.count(truth.Delivered))
}

// Close does not wait for a gateway that never reads.
func TestSerialClosesWhileStuck(t *testing.T) {
	port, path, err := send.OpenPort("pty")
	require.NoError(t, err)
	var r reports
	s := send.NewSerial(send.SerialOptions{Port: port, Report: r.report, Log: slog.New(slog.DiscardHandler), Resend: 10 * time.Millisecond})
	// Somebody has the other end open, and neither reads nor writes.
	tty, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	defer func() { require.NoError(t, tty.Close()) }()
	for i := range 200 {
		require.NoError(t, s.Send(t.Context(), spot(t, fmt.Sprintf("dev-%d", i), 0, message.Frames)))
	}
	require.NoError(t, s.Close())
	require.Equal(t, 200, r.count(truth.Unacked))
}

func TestOpenPortFails(t *testing.T) {
	_, _, err := send.OpenPort(filepath.Join(t.TempDir(), "ttyUSB9"))
	require.Error(t, err)
}

// The pseudo terminal gives bytes through as they are.
func TestPTYIsRaw(t *testing.T) {
	port, path, err := send.OpenPort("pty")
	require.NoError(t, err)
	tty, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for _, pair := range [][2]io.ReadWriter{{port, tty}, {tty, port}} {
		_, err = pair[0].Write(all)
		require.NoError(t, err)
		got := make([]byte, len(all))
		_, err = io.ReadFull(pair[1], got)
		require.NoError(t, err)
		require.True(t, bytes.Equal(all, got))
	}
	require.NoError(t, tty.Close())
	require.NoError(t, port.Close())
}
