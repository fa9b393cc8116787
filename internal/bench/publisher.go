package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// publisher is a bare MQTT 3.1.1 client that only publishes with QoS 1 and
// counts PUBACKs: it costs the machine as little as a generator can, so that
// what is measured is the other side.
type publisher struct {
	conn   net.Conn
	out    *bufio.Writer
	in     *bufio.Reader
	window int
	id     uint16
	packet []byte
}

// who is how a publisher connects.
type who struct {
	id, user, password string
	local              string // its own address; "": any
	window             int    // publishes un-acknowledged
}

const ioPatience = 60 * time.Second

func connect(ctx context.Context, addr string, w who) (*publisher, error) {
	dialer := &net.Dialer{}
	if w.local != "" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(w.local)}
	}
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	size := min(max(w.window*256, 256), 64<<10)
	p := &publisher{conn: conn, out: bufio.NewWriterSize(conn, size), in: bufio.NewReaderSize(conn, min(size, max(w.window*4, 16))), window: w.window}
	if err := p.hello(w); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return p, nil
}

func (p *publisher) hello(w who) error {
	body := []byte{0, 4, 'M', 'Q', 'T', 'T', 4, 0x02, 0, 0} // clean session, no keep-alive
	body = appendText(body, w.id)
	if w.user != "" {
		body[7] |= 0xc0
		body = appendText(appendText(body, w.user), w.password)
	}
	if err := p.conn.SetDeadline(time.Now().Add(ioPatience)); err != nil {
		return err
	}
	if _, err := p.conn.Write(append(appendLength([]byte{0x10}, len(body)), body...)); err != nil {
		return err
	}
	var ack [4]byte
	if _, err := io.ReadFull(p.in, ack[:]); err != nil {
		return fmt.Errorf("no answer to a log-in: %w", err)
	}
	if ack[0] != 0x20 || ack[3] != 0 {
		return fmt.Errorf("connection refused by the broker with code %d", ack[3])
	}
	return p.conn.SetDeadline(time.Time{})
}

func appendText(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

func appendLength(b []byte, n int) []byte {
	for n >= 0x80 {
		b = append(b, byte(n)|0x80)
		n >>= 7
	}
	return append(b, byte(n))
}

// maker makes the next message into b: its topic and payload.
type maker func(b []byte) (topic string, payload []byte)

// put writes the next message into the buffer, and tells its packet id.
func (p *publisher) put(next maker, payload []byte) (uint16, []byte, error) {
	topic, body := next(payload[:0])
	if p.id++; p.id == 0 {
		p.id = 1
	}
	p.packet = appendLength(append(p.packet[:0], 0x32), 2+len(topic)+2+len(body))
	p.packet = appendText(p.packet, topic)
	p.packet = binary.BigEndian.AppendUint16(p.packet, p.id)
	p.packet = append(p.packet, body...)
	_, err := p.out.Write(p.packet)
	return p.id, body, err
}

// acked reads one PUBACK and tells its packet id.
func (p *publisher) acked() (uint16, error) {
	var ack [4]byte
	if _, err := io.ReadFull(p.in, ack[:]); err != nil {
		return 0, err
	}
	if ack[0] != 0x40 {
		return 0, fmt.Errorf("packet type %#x instead of a PUBACK", ack[0])
	}
	return binary.BigEndian.Uint16(ack[2:]), nil
}

// publish sends n messages with at most the window un-acknowledged, and
// returns when all are acknowledged.
func (p *publisher) publish(n int, next maker) error {
	var payload []byte
	var err error
	sent, acked := 0, 0
	for acked < n {
		for sent < n && sent-acked < p.window {
			if _, payload, err = p.put(next, payload); err != nil {
				return err
			}
			sent++
		}
		if err := p.out.Flush(); err != nil {
			return err
		}
		if err := p.conn.SetReadDeadline(time.Now().Add(ioPatience)); err != nil {
			return err
		}
		// One acknowledgement is waited for; the others that are there are
		// taken with it.
		for first := true; acked < sent && (first || p.in.Buffered() >= 4); first = false {
			if _, err := p.acked(); err != nil {
				return fmt.Errorf("after %d acknowledgements: %w", acked, err)
			}
			acked++
		}
	}
	return nil
}

// paced sends rate messages a second for a span, or until ctx ends, whatever
// the answers do, and returns how many it sent when all are acknowledged. seen
// is told each one's time from when it was due to its PUBACK; nil: nobody asks.
func (p *publisher) paced(ctx context.Context, rate float64, span time.Duration, next maker, seen func(time.Duration)) (int, error) {
	var due [1 << 16]atomic.Int64
	var sent, got atomic.Int64
	var failed atomic.Bool
	begin := time.Now()
	closing := make(chan struct{})
	read := make(chan error, 1)
	go func() {
		read <- func() error {
			for {
				select {
				case <-closing:
					if got.Load() == sent.Load() {
						return nil
					}
				default:
				}
				id, err := p.acked()
				if err != nil {
					select {
					case <-closing:
						if got.Load() == sent.Load() { // woken by the deadline below
							return nil
						}
					default:
					}
					failed.Store(true)
					return fmt.Errorf("after %d acknowledgements of %d: %w", got.Load(), sent.Load(), err)
				}
				if seen != nil {
					seen(time.Since(begin) - time.Duration(due[id].Load()))
				}
				got.Add(1)
			}
		}()
	}()
	err := p.pace(ctx, begin, rate, span, next, &due, &sent, &got, &failed)
	close(closing)
	patience := 10 * time.Millisecond // the last acknowledgement was read already: wake the reader
	if got.Load() < sent.Load() {
		patience = ioPatience
	}
	deadline := time.Now().Add(patience)
	for got.Load() < sent.Load() && time.Now().Before(deadline) && !failed.Load() {
		time.Sleep(time.Millisecond)
	}
	err = errors.Join(err, p.conn.SetReadDeadline(time.Now()))
	err = errors.Join(err, <-read, p.conn.SetReadDeadline(time.Time{}))
	return int(sent.Load()), err
}

func (p *publisher) pace(ctx context.Context, begin time.Time, rate float64, span time.Duration, next maker, due *[1 << 16]atomic.Int64, sent, got *atomic.Int64, failed *atomic.Bool) error {
	var payload []byte
	n := 0
	for ctx.Err() == nil && !failed.Load() {
		now := time.Since(begin)
		until := now
		if span > 0 {
			until = min(now, span)
		}
		wrote := false
		for target := int(until.Seconds() * rate); n < target && n-int(got.Load()) < p.window; n++ {
			var id uint16
			var err error
			if id, payload, err = p.put(next, payload); err != nil {
				return err
			}
			due[id].Store(int64(float64(n) / rate * float64(time.Second)))
			sent.Add(1)
			wrote = true
		}
		if wrote {
			if err := p.out.Flush(); err != nil {
				return err
			}
		}
		if span > 0 && now >= span && n >= int(span.Seconds()*rate) {
			return nil
		}
		time.Sleep(time.Millisecond)
	}
	return nil
}

func (p *publisher) close() error { return p.conn.Close() }
