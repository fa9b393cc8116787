package sourcetest

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// Blast is a load of QoS 1 publishes from clients that cost little themselves.
type Blast struct {
	Address string
	Clients int
	Window  int // publishes of one client without an ack
	Topic   func(client int) string
	User    func(client int) string
	Secret  string
	Payload []byte
}

// Run connects the clients and publishes n messages in all; it returns how long
// the publishing took until the last ack.
func (b Blast) Run(tb testing.TB, n int) time.Duration {
	tb.Helper()
	blasters := make([]*blaster, b.Clients)
	for i := range blasters {
		c := Dial(tb, b.Address, nil)
		require.Zero(tb, c.Hello(Hello{User: b.User(i), ID: fmt.Sprintf("blast-%d", i), Secret: b.Secret, KeepAlive: 60}).ReasonCode)
		blasters[i] = &blaster{conn: c.net, in: c.in, window: b.Window, topic: b.Topic(i), payload: b.Payload}
	}
	var group errgroup.Group
	began := time.Now()
	for i, p := range blasters {
		share := n / b.Clients
		if i < n%b.Clients {
			share++
		}
		group.Go(func() error { return p.run(share) })
	}
	require.NoError(tb, group.Wait())
	took := time.Since(began)
	for _, p := range blasters {
		_ = p.conn.Close()
	}
	return took
}

type blaster struct {
	conn    net.Conn
	in      *bufio.Reader
	window  int
	topic   string
	payload []byte
	id      uint16
}

// run keeps the window full: what acks have freed is sent in one write.
func (p *blaster) run(n int) error {
	_ = p.conn.SetReadDeadline(time.Now().Add(time.Minute))
	var out []byte
	sent, acked := 0, 0
	for acked < n {
		out = out[:0]
		for sent < n && sent-acked < p.window {
			out = p.append(out)
			sent++
		}
		if _, err := p.conn.Write(out); err != nil {
			return err
		}
		for first := true; acked < sent && (first || p.in.Buffered() >= 4); first = false {
			var ack [4]byte
			if _, err := io.ReadFull(p.in, ack[:]); err != nil {
				return fmt.Errorf("after %d acks: %w", acked, err)
			}
			if want := uint16(acked%0xffff) + 1; ack[0] != 0x40 || binary.BigEndian.Uint16(ack[2:]) != want {
				return fmt.Errorf("% x is not the PUBACK of %d", ack, want)
			}
			acked++
		}
	}
	return nil
}

func (p *blaster) append(out []byte) []byte {
	p.id = p.id%0xffff + 1
	remaining := 2 + len(p.topic) + 2 + len(p.payload)
	out = append(out, 0x32)
	out = binary.AppendUvarint(out, uint64(remaining))
	out = append(binary.BigEndian.AppendUint16(out, uint16(len(p.topic))), p.topic...)
	out = binary.BigEndian.AppendUint16(out, p.id)
	return append(out, p.payload...)
}
