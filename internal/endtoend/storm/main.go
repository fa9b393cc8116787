// Command storm is very many devices that log in at once, in a process of
// their own: a test's own process could not open as many files.
//
//	storm -broker host:port -credentials FILE
//
// For each line on stdin every device drops its connection, connects again,
// and publishes its next reading until that is acknowledged; one line on stdout
// tells how it went. At the end of stdin it ends.
package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "storm:", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("storm", flag.ContinueOnError)
	broker := flags.String("broker", "", "host:port of the broker")
	file := flags.String("credentials", "", "device:secret lines")
	if err := flags.Parse(args); err != nil {
		return err
	}
	text, err := os.ReadFile(*file)
	if err != nil {
		return err
	}
	var all []*device
	for line := range strings.Lines(string(text)) {
		id, secret, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok {
			return fmt.Errorf("%q is no device:secret", id)
		}
		// Many addresses of the loopback network: no pair of addresses runs
		// out of ports.
		from := &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+len(all)%8))}
		all = append(all, &device{id: id, secret: secret, to: *broker, from: from})
	}
	lines := bufio.NewScanner(in)
	for seq := 1; lines.Scan(); seq++ {
		fmt.Fprintln(out, round(all, seq))
	}
	for _, d := range all {
		d.drop()
	}
	return lines.Err()
}

// round has every device log in again and publish, and tells how it went.
func round(all []*device, seq int) string {
	for _, d := range all {
		d.drop()
	}
	began := time.Now()
	took := make([]time.Duration, len(all))
	tries := make([]int, len(all))
	var tasks sync.WaitGroup
	for i, d := range all {
		tasks.Go(func() {
			tries[i] = d.comeBack(seq)
			took[i] = time.Since(began)
		})
	}
	tasks.Wait()
	slices.Sort(took)
	again := 0
	for _, n := range tries {
		again += n - 1
	}
	return fmt.Sprintf("in=%d half=%v all=%v again=%d", len(all), took[len(took)/2].Round(time.Millisecond), took[len(took)-1].Round(time.Millisecond), again)
}

type device struct {
	id, secret string
	to         string
	from       *net.TCPAddr
	conn       net.Conn
}

// drop breaks the connection off without a word.
func (d *device) drop() {
	if d.conn == nil {
		return
	}
	if tcp, ok := d.conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = d.conn.Close()
	d.conn = nil
}

// comeBack tries until the reading is acknowledged, as devices do: with waits
// that grow.
func (d *device) comeBack(seq int) (tries int) {
	at := time.Now().UTC().Format(time.RFC3339Nano)
	reading := fmt.Sprintf(`{"kind":"spot","boot":1,"seq":%d,"at":%q,"occupied":%v}`, seq, at, seq%2 == 1)
	const first, most = 200 * time.Millisecond, 5 * time.Second
	for wait := first; ; wait = min(2*wait, most) {
		tries++
		if d.attempt(reading) == nil {
			return tries
		}
		d.drop()
		time.Sleep(wait/2 + rand.N(wait))
	}
}

func (d *device) attempt(reading string) (err error) {
	const patience = 30 * time.Second
	dialer := net.Dialer{Timeout: patience, LocalAddr: d.from}
	if d.conn, err = dialer.Dial("tcp", d.to); err != nil {
		return err
	}
	_ = d.conn.SetDeadline(time.Now().Add(patience))
	connect := []byte{0, 4, 'M', 'Q', 'T', 'T', 4, 0xc2, 0, 0}
	for _, part := range []string{d.id, d.id, d.secret} {
		connect = text(connect, part)
	}
	if err := d.say(0x10, connect, []byte{0x20, 2, 0, 0}); err != nil {
		return fmt.Errorf("log in: %w", err)
	}
	publish := text(nil, "sg/v1/"+d.id+"/up")
	publish = append(append(publish, 0, 1), reading...)
	if err := d.say(0x32, publish, []byte{0x40, 2, 0, 1}); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	return d.conn.SetDeadline(time.Time{})
}

// say sends a packet and waits for the answer.
func (d *device) say(kind byte, body, want []byte) error {
	if _, err := d.conn.Write(append(binary.AppendUvarint([]byte{kind}, uint64(len(body))), body...)); err != nil {
		return err
	}
	got := make([]byte, len(want))
	if _, err := io.ReadFull(d.conn, got); err != nil {
		return err
	}
	if !slices.Equal(got, want) {
		return errors.New("refused")
	}
	return nil
}

func text(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}
