package serial_test

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/source/serial"
	"github.com/simpang-id/simpang/internal/source/sourcetest"
	"github.com/simpang-id/simpang/internal/wire/frames"
)

// peer is a device on a line.
type peer struct {
	t    *testing.T
	name string
	src  *serial.Source
	far  *device
	sent []string
	acks []uint64
}

func TestSuite(t *testing.T) {
	sourcetest.Suite(t, func(t *testing.T, sink source.Sink, window int) (source.Source, func() sourcetest.Peer) {
		t.Helper()
		name := filepath.Join(t.TempDir(), "meter")
		s, err := serial.New(serial.Options{
			ID: "line", Port: name, Baud: 115200, Sink: sink, Window: window, Log: slog.New(slog.DiscardHandler),
			MinBackoff: 5 * time.Millisecond, MaxBackoff: 20 * time.Millisecond,
		})
		require.NoError(t, err)
		return s, func() sourcetest.Peer { return &peer{t: t, name: name, src: s, far: plug(t, name)} }
	})
}

func (p *peer) write(text string) {
	p.sent = append(p.sent, text)
	_, err := p.far.master.WriteString(text)
	require.NoError(p.t, err)
}

func (p *peer) Send(seq uint64) { p.write(spot(p.t, "d1", seq)) }

func (p *peer) SendRefused(seq uint64) {
	body := fmt.Sprintf("PSGSP,d1,3,%d,1790000000000,2", seq)
	sum := byte(0)
	for i := range len(body) {
		sum ^= body[i]
	}
	p.write(fmt.Sprintf("$%s*%02X\r\n", body, sum))
}

func (p *peer) Acks() []uint64 {
	for {
		select {
		case line := <-p.far.lines:
			a, err := frames.ParseAck([]byte(line))
			require.NoError(p.t, err)
			p.acks = append(p.acks, a.Seq)
		default:
			return slices.Clone(p.acks)
		}
	}
}

// Again plugs another line in; the device sends again what has no answer.
func (p *peer) Again() {
	opens := p.src.Stats().Opens.Load()
	acks := p.Acks()
	p.far = plug(p.t, p.name)
	sourcetest.Until(p.t, func() bool { return p.src.Stats().Opens.Load() > opens }, "the new line is not opened")
	for i, text := range p.sent {
		if !slices.Contains(acks, uint64(i+1)) {
			_, err := p.far.master.WriteString(text)
			require.NoError(p.t, err)
		}
	}
}
