package serial

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	tarm "github.com/tarm/serial"
	"golang.org/x/sys/unix"
)

// readTimeout is how long a read may wait, so that the end of the source is
// seen; tarm must never be without one.
const readTimeout = 200 * time.Millisecond

// emptyReads is how many reads may come back empty before their time.
const emptyReads = 5

// errUnplugged means that the device is gone, or that its name stands for
// another one.
var errUnplugged = errors.New("the device was unplugged")

// line is an open serial line. Read by one goroutine, written by one.
type line struct {
	name  string
	port  *tarm.Port
	out   *os.File // the same device: answers and the lock
	file  identity
	early int // empty reads in a row that came before their time
}

// identity is which device a name stands for.
type identity struct{ dev, inode, device uint64 }

func identify(name string) (identity, error) {
	info, err := os.Stat(name)
	if err != nil {
		return identity{}, err
	}
	sys, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return identity{}, errors.New("not a device file")
	}
	return identity{dev: sys.Dev, inode: sys.Ino, device: sys.Rdev}, nil
}

// open opens the line and locks it for us.
func (o *Options) open() (l *line, err error) {
	l = &line{name: o.Port}
	defer func() {
		if err != nil {
			_ = l.Close()
			l = nil
		}
	}()
	if l.file, err = identify(o.Port); err != nil {
		return l, fmt.Errorf("open the line: %w", err)
	}
	if l.out, err = os.OpenFile(o.Port, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0); err != nil {
		return l, explain(err)
	}
	if err = lock(l.out); err != nil {
		return l, fmt.Errorf("lock %s: %w; another program uses it: stop that one", o.Port, err)
	}
	l.port, err = tarm.OpenPort(&tarm.Config{
		Name: o.Port, Baud: o.Baud, Size: byte(o.DataBits), Parity: parities[o.Parity], StopBits: tarm.StopBits(o.StopBits),
		ReadTimeout: readTimeout,
	})
	if err != nil {
		return l, explain(fmt.Errorf("set the line up: %w", err))
	}
	if now, err := identify(o.Port); err != nil || now != l.file { // replugged meanwhile
		return l, errUnplugged
	}
	return l, nil
}

// lock takes the advisory lock without touching the mode of the file, which
// must keep its deadlines.
func lock(f *os.File) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var locked error
	err = raw.Control(func(fd uintptr) { locked = unix.Flock(int(fd), unix.LOCK_EX|unix.LOCK_NB) })
	return errors.Join(err, locked)
}

func explain(err error) error {
	if errors.Is(err, os.ErrPermission) {
		return fmt.Errorf("%w; the gateway's user must belong to the group of the device (dialout)", err)
	}
	return err
}

// Read returns what came, nothing and no error where nothing came in time, and
// errUnplugged. tarm reads an unplugged device as it does a time-out, only that
// it comes back at once: the time that the read took and what the name stands
// for tell them apart.
func (l *line) Read(p []byte) (int, error) {
	began := time.Now()
	n, err := l.port.Read(p)
	if n > 0 {
		l.early = 0
		return n, nil
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, fmt.Errorf("%w: %w", errUnplugged, err)
	}
	if now, err := identify(l.name); err != nil || now != l.file {
		return 0, errUnplugged
	}
	if time.Since(began) >= readTimeout/2 {
		l.early = 0
		return 0, nil
	}
	if l.early++; l.early >= emptyReads {
		return 0, errUnplugged
	}
	time.Sleep(readTimeout / emptyReads) // never spin
	return 0, nil
}

// Write writes p within limit.
func (l *line) Write(p []byte, limit time.Duration) error {
	if err := l.out.SetWriteDeadline(time.Now().Add(limit)); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	if _, err := l.out.Write(p); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	return nil
}

// flush throws away what has come and was not read, where the name still stands
// for this device.
func (l *line) flush() error {
	if now, err := identify(l.name); err != nil || now != l.file {
		return errUnplugged
	}
	if err := l.port.Flush(); err != nil {
		return fmt.Errorf("%w: %w", errUnplugged, err)
	}
	return nil
}

// hurry ends a Write that is under way.
func (l *line) hurry() { _ = l.out.SetWriteDeadline(time.Unix(1, 0)) }

// Close closes the line. No Read may be under way.
func (l *line) Close() error {
	var errs []error
	if l.port != nil {
		errs = append(errs, l.port.Close())
	}
	if l.out != nil {
		errs = append(errs, l.out.Close())
	}
	return errors.Join(errs...)
}
