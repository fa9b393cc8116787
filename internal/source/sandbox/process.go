package sandbox

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/simpang-id/simpang/internal/wire/codec"
)

// process is one process that runs scripts. It is used by one goroutine at a
// time, and done with after an error.
type process struct {
	cmd      *exec.Cmd
	requests pipe
	answers  pipe
	reader   *bufio.Reader
	said     *head
	buffer   []byte
	loaded   map[uint32]bool

	mu    sync.Mutex
	timer *time.Timer
	set   bool      // the timer is to come
	at    time.Time // then
	due   time.Time // by when it has to answer; zero: it is asked nothing
	late  bool      // it did not, and was killed
}

// startWithin is how long a new process may take until its first answer.
const startWithin = 10 * time.Second

// marker is a variable that a process has, so that none starts another where a
// program does not know Command.
const marker = "SIMPANG_CODEC_WORKER"

// start starts a process.
func start(command []string) (p *process, err error) {
	if os.Getenv(marker) != "" {
		return nil, errors.New("this is a codecs' process itself: does the program call sandbox.Work?")
	}
	inner, requests, err := newPipe()
	if err != nil {
		return nil, err
	}
	answers, outer, err := newPipe()
	if err != nil {
		return nil, errors.Join(err, inner.Close(), requests.Close())
	}
	p = &process{requests: requests, answers: answers, reader: bufio.NewReaderSize(answers, 16<<10), said: &head{}, loaded: map[uint32]bool{}}
	p.cmd = exec.Command(command[0], command[1:]...) //nolint:gosec,noctx // the program itself; it lives as long as the pipe
	p.cmd.Dir, p.cmd.Env = "/", []string{"GOTRACEBACK=none", marker + "=1"}
	stdin, stdout := os.NewFile(uintptr(inner), "requests"), os.NewFile(uintptr(outer), "answers")
	defer stdin.Close()
	defer stdout.Close()
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = stdin, stdout, p.said
	if err := p.cmd.Start(); err != nil {
		return nil, errors.Join(err, requests.Close(), answers.Close())
	}
	return p, nil
}

// endedError is the end of a process.
type endedError struct {
	result  codec.Result
	foreign bool // someone else ended it
	retired bool // it ended itself after the call before
}

// Error says how it ended.
func (e *endedError) Error() string { return "the codecs' process ended: " + e.result.Text }

// do sends a request and waits for its answer. Errors are *endedError.
func (p *process) do(r *request, within time.Duration) (codec.Result, error) {
	p.buffer = r.append(p.buffer[:0])
	p.has(within)
	_, err := p.requests.Write(p.buffer)
	if err == nil {
		p.buffer, err = readFrame(p.reader, p.buffer, maxAnswer)
	}
	p.rests()
	if err != nil {
		return codec.Result{}, p.ended(err, errors.Is(err, errRequest))
	}
	result, err := codec.Parse(p.buffer)
	if err != nil {
		return codec.Result{}, p.ended(err, true)
	}
	return result, nil
}

// has gives the process so long to answer. Its timer goes on after that: setting
// one for each request would cost as much as a small script.
func (p *process) has(within time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.due = time.Now().Add(within)
	if !p.set || p.at.After(p.due) { // that of a load, which may last longer
		p.in(within)
	}
}

func (p *process) rests() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.due = time.Time{}
}

// in sets the timer. mu is held.
func (p *process) in(d time.Duration) {
	p.set, p.at = true, time.Now().Add(d)
	if p.timer == nil {
		p.timer = time.AfterFunc(d, p.look)
		return
	}
	p.timer.Reset(d)
}

// look kills a process that is late: who waits for it sees its pipes end.
func (p *process) look() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.set = false
	if p.due.IsZero() {
		return
	}
	if left := time.Until(p.due); left > 0 {
		p.in(left)
		return
	}
	p.late = true
	_ = p.cmd.Process.Kill() // it may have ended by itself
}

// stopLooking ends the timer, and tells whether the process was late.
func (p *process) stopLooking() (late bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.due = time.Time{}
	if p.timer != nil {
		p.timer.Stop()
	}
	return p.late
}

// ended ends the process, if it lives, and tells why it gave no answer; garbled:
// it gave one that cannot be read.
func (p *process) ended(cause error, garbled bool) *endedError {
	late := p.end()
	crashed := func(format string, args ...any) *endedError {
		return &endedError{result: codec.Result{Failure: codec.Crashed, Text: fmt.Sprintf(format, args...)}}
	}
	said, code := p.said.String(), p.cmd.ProcessState.ExitCode()
	switch {
	case garbled:
		return crashed("%v", cause)
	case late || code == exitStuck:
		return &endedError{result: codec.Result{Failure: codec.Slow}}
	case strings.Contains(said, "out of memory") || strings.Contains(said, "cannot allocate"):
		return crashed("it wanted more memory than the %d MiB that it may have", maxData>>20)
	case strings.Contains(said, "stack exceeds"):
		return crashed("it went too deep: objects within objects, or a text of many brackets")
	case code == 0:
		return &endedError{retired: true}
	case code == 1: // the program itself says why
		return crashed("%s", strings.TrimSpace(said))
	case strings.HasPrefix(said, "fatal error: "): // of Go; a panic's own words may hold what the payload held
		what, _, _ := strings.Cut(said, "\n")
		return crashed("its process ended: %s", what)
	case code >= 0:
		return crashed("its process ended with exit code %d", code)
	}
	e := crashed("its process was ended from outside (%s)", p.cmd.ProcessState)
	e.foreign = true
	return e
}

// end ends the process and waits for it; late tells that it was ended for being so.
func (p *process) end() (late bool) {
	late = p.stopLooking()
	_ = p.requests.Close()
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait() // its state says how it ended
	_ = p.answers.Close()
	return late
}

// head keeps the beginning of what a process writes to stderr.
type head struct {
	mu   sync.Mutex
	text []byte
}

// Write keeps what there is room for.
func (h *head) Write(b []byte) (int, error) {
	const most = 4 << 10
	h.mu.Lock()
	defer h.mu.Unlock()
	h.text = append(h.text, b[:min(len(b), most-len(h.text))]...)
	return len(b), nil
}

// String returns it.
func (h *head) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return string(h.text)
}
