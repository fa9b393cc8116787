package sandbox

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// pipe is an end of a pipe that is read and written by system calls that wait:
// an answer comes within some 50 us, sooner than Go's poller has put a goroutine
// aside and taken it up again. A thread waits with it, one for each process.
type pipe int

func newPipe() (from, to pipe, err error) {
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
		return 0, 0, os.NewSyscallError("pipe2", err)
	}
	return pipe(ends[0]), pipe(ends[1]), nil
}

// Read reads what there is, and waits where there is nothing.
func (p pipe) Read(b []byte) (int, error) {
	for {
		n, err := unix.Read(int(p), b)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return 0, os.NewSyscallError("read", err)
		case n == 0 && len(b) > 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}

// Write writes all of b.
func (p pipe) Write(b []byte) (done int, err error) {
	for done < len(b) {
		n, err := unix.Write(int(p), b[done:])
		if err != nil && !errors.Is(err, unix.EINTR) {
			return done, os.NewSyscallError("write", err)
		}
		done += max(n, 0)
	}
	return done, nil
}

// Close closes the end.
func (p pipe) Close() error { return os.NewSyscallError("close", unix.Close(int(p))) }
