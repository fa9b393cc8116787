package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"
)

// asker is a bare HTTP/1.1 client on one kept connection: it reads the length
// and skips the body, or keeps it.
type asker struct {
	conn net.Conn
	in   *bufio.Reader
	addr string
	body []byte // of the last answer, where it was asked for
}

func newAsker(ctx context.Context, addr string) (*asker, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return &asker{conn: conn, in: bufio.NewReaderSize(conn, 64<<10), addr: addr}, nil
}

func (a *asker) close() { _ = a.conn.Close() }

// request is what is sent for a path; bearer may be "".
func (a *asker) request(path, bearer string) []byte {
	text := "GET " + path + " HTTP/1.1\r\nHost: " + a.addr + "\r\n"
	if bearer != "" {
		text += "Authorization: Bearer " + bearer + "\r\n"
	}
	return []byte(text + "\r\n")
}

// ask sends a request and takes its answer; keep keeps the body.
func (a *asker) ask(request []byte, keep bool) error {
	if err := a.conn.SetDeadline(time.Now().Add(ioPatience)); err != nil {
		return err
	}
	if _, err := a.conn.Write(request); err != nil {
		return err
	}
	to := io.Discard
	if keep {
		a.body = a.body[:0]
		to = (*bodyWriter)(a)
	}
	if err := a.answer(to); err != nil {
		line, _, _ := bytes.Cut(request, []byte(" HTTP"))
		return fmt.Errorf("%s: %w", line, err)
	}
	return nil
}

type bodyWriter asker

func (w *bodyWriter) Write(b []byte) (int, error) {
	w.body = append(w.body, b...)
	return len(b), nil
}

var contentLength = []byte("Content-Length: ")

func (a *asker) answer(to io.Writer) error {
	status, err := a.in.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(status, []byte("HTTP/1.1 200")) {
		return fmt.Errorf("answer %q", bytes.TrimSpace(status))
	}
	length, chunked := -1, false
	for {
		line, err := a.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) <= 2 {
			break
		}
		if rest, ok := bytes.CutPrefix(line, contentLength); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(rest))); err != nil {
				return err
			}
		}
		chunked = chunked || bytes.HasPrefix(line, []byte("Transfer-Encoding: chunked"))
	}
	if !chunked {
		return a.take(to, int64(length))
	}
	for {
		line, err := a.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		size, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 16, 64)
		if err != nil {
			return err
		}
		if err := a.take(to, size); err != nil {
			return err
		}
		if _, err := a.in.Discard(2); err != nil || size == 0 {
			return err
		}
	}
}

func (a *asker) take(to io.Writer, n int64) error {
	if to == io.Discard {
		_, err := a.in.Discard(int(n))
		return err
	}
	_, err := io.CopyN(to, a.in, n)
	return err
}

// requestRate asks for path over several kept connections for a while and
// returns answers a second.
func requestRate(ctx context.Context, addr, path string, connections int, span time.Duration) (float64, error) {
	counts := make([]int, connections)
	errs := make([]error, connections)
	var wait sync.WaitGroup
	start := time.Now()
	for i := range connections {
		wait.Go(func() {
			a, err := newAsker(ctx, addr)
			if err != nil {
				errs[i] = err
				return
			}
			defer a.close()
			request := a.request(path, "")
			for ; errs[i] == nil && time.Since(start) < span; counts[i]++ {
				errs[i] = a.ask(request, false)
			}
		})
	}
	wait.Wait()
	total := 0
	for _, n := range counts {
		total += n
	}
	return float64(total) / time.Since(start).Seconds(), errors.Join(errs...)
}

// requestTimes asks for the paths in turn, rate times a second for a span, over
// several kept connections. A request's time is from when it was due: one that
// waits for the one before it on its connection waits within its time.
func requestTimes(ctx context.Context, addr string, paths []string, connections int, rate float64, span time.Duration) (*latencies, error) {
	seen := &latencies{}
	errs := make([]error, connections)
	var wait sync.WaitGroup
	start := time.Now()
	for i := range connections {
		wait.Go(func() {
			mine, err := requestsDue(ctx, addr, paths, i, connections, rate, start, span)
			seen.join(mine)
			errs[i] = err
		})
	}
	wait.Wait()
	return seen, errors.Join(errs...)
}

func requestsDue(ctx context.Context, addr string, paths []string, index, connections int, rate float64, start time.Time, span time.Duration) ([]time.Duration, error) {
	a, err := newAsker(ctx, addr)
	if err != nil {
		return nil, err
	}
	defer a.close()
	requests := make([][]byte, len(paths))
	for i, path := range paths {
		requests[i] = a.request(path, "")
	}
	var took []time.Duration
	for n := index; ctx.Err() == nil; n += connections {
		due := time.Duration(float64(n) / rate * float64(time.Second))
		if due >= span {
			break
		}
		time.Sleep(due - time.Since(start))
		if err := a.ask(requests[n%len(requests)], false); err != nil {
			return took, err
		}
		took = append(took, time.Since(start)-due)
	}
	return took, ctx.Err()
}

// askRounds asks for the same thing ten times a round, and returns all times and
// each round's median.
func (b *bench) askRounds(a *asker, request []byte) (all *latencies, medians []float64, err error) {
	const times = 10
	all = &latencies{}
	for range b.rounds {
		round := &latencies{}
		for range times {
			begin := time.Now()
			if err := a.ask(request, true); err != nil {
				return nil, nil, err
			}
			round.add(time.Since(begin))
		}
		all.join(round.each)
		medians = append(medians, round.quantile(0.5))
	}
	return all, medians, nil
}
