package send

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/creack/pty"
	"github.com/tarm/serial"
	"golang.org/x/sys/unix"
)

// Baud is the speed of a real serial line.
const Baud = 115200

// OpenPort opens what -serial names: a device file; `auto` or `pty` for a new
// pseudo terminal; `pty:PATH` for one that is found under PATH too, as a
// symbolic link. It returns the path that the gateway must open.
func OpenPort(name string) (port io.ReadWriteCloser, path string, err error) {
	link, isLink := strings.CutPrefix(name, "pty:")
	if !isLink && name != "auto" && name != "pty" {
		p, err := serial.OpenPort(&serial.Config{Name: name, Baud: Baud, ReadTimeout: 100 * time.Millisecond})
		if err != nil {
			return nil, "", fmt.Errorf("serial port %s: %w", name, err)
		}
		return p, name, nil
	}
	p, err := openPTY()
	if err != nil {
		return nil, "", err
	}
	if !isLink {
		return p, p.tty.Name(), nil
	}
	if err := os.Remove(link); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, "", errors.Join(fmt.Errorf("serial port: %w", err), p.Close())
	}
	if err := os.Symlink(p.tty.Name(), link); err != nil {
		return nil, "", errors.Join(fmt.Errorf("serial port: %w", err), p.Close())
	}
	p.link = link
	return p, link, nil
}

// ptyPort is our end of a pseudo terminal. The other end is kept open too: it
// lives on while the gateway closes and opens it.
type ptyPort struct {
	*os.File
	tty  *os.File
	link string
}

func openPTY() (*ptyPort, error) {
	master, tty, err := pty.Open()
	if err != nil {
		return nil, fmt.Errorf("pseudo terminal: %w", err)
	}
	ours, err := pollable(master)
	if err = errors.Join(err, master.Close(), raw(tty)); err != nil {
		return nil, errors.Join(fmt.Errorf("pseudo terminal: %w", err), tty.Close())
	}
	return &ptyPort{File: ours, tty: tty}, nil
}

// pollable returns a copy of a file whose Close ends a pending Read: package
// pty has asked for the file's descriptor, which makes it a blocking one.
func pollable(f *os.File) (*os.File, error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("descriptor: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, errors.Join(fmt.Errorf("descriptor: %w", err), unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

// raw switches off echo and every translation.
func raw(tty *os.File) error {
	conn, err := tty.SyscallConn()
	if err != nil {
		return fmt.Errorf("tty: %w", err)
	}
	var inner error
	err = conn.Control(func(fd uintptr) {
		t, err := unix.IoctlGetTermios(int(fd), unix.TCGETS)
		if err != nil {
			inner = err
			return
		}
		t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
		t.Cflag = unix.CS8 | unix.CREAD | unix.CLOCAL | unix.B115200
		t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
		inner = unix.IoctlSetTermios(int(fd), unix.TCSETS, t)
	})
	return errors.Join(err, inner)
}

// Close closes both ends.
func (p *ptyPort) Close() error {
	if p.link != "" {
		_ = os.Remove(p.link) // somebody else may have taken it away
	}
	return errors.Join(p.File.Close(), p.tty.Close())
}
