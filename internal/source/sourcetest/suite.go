package sourcetest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/source"
)

// Peer is the far end of a source in Suite: a device, or a broker with devices
// behind it. The numbers of readings begin at 1 and rise by 1.
type Peer interface {
	// Send sends a good reading with that number, without waiting for its ack.
	Send(seq uint64)
	// SendRefused sends one that is refused by name, but acknowledged.
	SendRefused(seq uint64)
	// Acks are the numbers that were acknowledged so far, in order.
	Acks() []uint64
	// Again breaks the connection and comes back; what has no ack is sent again.
	Again()
}

// Start makes a source with its far end; the suite runs it. window is how many
// messages may be in flight to the sink.
type Start func(t *testing.T, sink source.Sink, window int) (source.Source, func() Peer)

// Suite is the behaviour that every source has (see source.Message and Sink).
func Suite(t *testing.T, start Start) {
	t.Helper()
	for name, behaviour := range map[string]func(t *testing.T, start Start){
		"acknowledged only when done":      ackAfterDone,
		"acknowledged in order":            ackOrder,
		"done twice is done once":          doneTwice,
		"refused is told and acknowledged": refusedIsAcked,
		"not taken comes again":            notTaken,
		"late done of a lost connection":   lateDone,
		"a full sink holds back":           fullSink,
		"stops at once":                    stops,
		"answers what it has before":       stopsInOrder,
		"tells its status":                 status,
	} {
		t.Run(name, func(t *testing.T) { behaviour(t, start) })
	}
}

func begin(t *testing.T, start Start, size, window int) (src source.Source, sink *Sink, p Peer, stop func()) {
	t.Helper()
	sink = NewSink(size)
	src, connect := start(t, sink, window)
	stop = Run(t, src, false)
	p = connect()
	Until(t, func() bool { return src.Status().Connected }, "it does not connect")
	return src, sink, p, stop
}

func seqs(from, to uint64) (all []uint64) {
	for n := from; n <= to; n++ {
		all = append(all, n)
	}
	return all
}

// takeSeq takes the next message, which must be the good reading of that number.
func takeSeq(t *testing.T, sink *Sink, seq uint64) source.Message {
	t.Helper()
	m := sink.Take(t)
	require.Len(t, m.Decoded.Readings, 1)
	require.Equal(t, seq, m.Decoded.Readings[0].Seq)
	require.False(t, m.Silent)
	require.NotEmpty(t, m.Payload)
	require.Equal(t, m.Decoded.Readings[0].Device, m.Device)
	return m
}

func acked(t *testing.T, p Peer, want []uint64) {
	t.Helper()
	Until(t, func() bool { return len(p.Acks()) >= len(want) }, "acks are missing: %d wanted", len(want))
	require.Equal(t, want, p.Acks())
}

func ackAfterDone(t *testing.T, start Start) {
	t.Helper()
	_, sink, p, _ := begin(t, start, 4, 16)
	for n := uint64(1); n <= 3; n++ {
		p.Send(n)
		m := takeSeq(t, sink, n)
		time.Sleep(Quiet)
		require.Equal(t, seqs(1, n-1), p.Acks())
		m.Done(true)
		acked(t, p, seqs(1, n))
	}
}

func ackOrder(t *testing.T, start Start) {
	t.Helper()
	_, sink, p, _ := begin(t, start, 16, 16)
	var taken []source.Message
	for n := uint64(1); n <= 10; n++ {
		p.Send(n)
		taken = append(taken, takeSeq(t, sink, n))
	}
	for _, m := range slices.Backward(taken) {
		m.Done(true)
	}
	acked(t, p, seqs(1, 10))
}

func doneTwice(t *testing.T, start Start) {
	t.Helper()
	_, sink, p, _ := begin(t, start, 4, 2)
	p.Send(1)
	first := takeSeq(t, sink, 1)
	first.Done(true)
	acked(t, p, seqs(1, 1))
	for n := uint64(2); n <= 6; n++ { // whatever place of the window the next ones take
		p.Send(n)
		m := takeSeq(t, sink, n)
		first.Done(true)
		first.Done(false)
		time.Sleep(Quiet / 5)
		require.Len(t, p.Acks(), int(n-1))
		m.Done(true)
		acked(t, p, seqs(1, n))
	}
}

func refusedIsAcked(t *testing.T, start Start) {
	t.Helper()
	_, sink, p, _ := begin(t, start, 4, 16)
	p.SendRefused(1)
	m := sink.Take(t)
	require.Empty(t, m.Decoded.Readings)
	require.NotEmpty(t, m.Decoded.Refused[0].Reason)
	require.NotEmpty(t, m.Decoded.Refused[0].Raw)
	require.Empty(t, p.Acks())
	m.Done(true)
	acked(t, p, seqs(1, 1))
}

func notTaken(t *testing.T, start Start) {
	t.Helper()
	_, sink, p, _ := begin(t, start, 16, 16)
	p.Send(1)
	takeSeq(t, sink, 1).Done(true)
	acked(t, p, seqs(1, 1))
	p.Send(2)
	takeSeq(t, sink, 2).Done(false)
	p.Again()
	takeSeq(t, sink, 2).Done(true)
	acked(t, p, seqs(1, 2))
}

func lateDone(t *testing.T, start Start) {
	t.Helper()
	_, sink, p, _ := begin(t, start, 16, 16)
	p.Send(1)
	first := takeSeq(t, sink, 1)
	p.Again()
	again := takeSeq(t, sink, 1)
	first.Done(true)
	time.Sleep(Quiet)
	require.Empty(t, p.Acks(), "the ack of a connection that is gone")
	again.Done(true)
	acked(t, p, seqs(1, 1))
}

func fullSink(t *testing.T, start Start) {
	t.Helper()
	const window, all = 4, 40
	src, sink, p, _ := begin(t, start, 0, window)
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for n := range uint64(all) {
			p.Send(n + 1)
		}
	}()
	var taken []source.Message
	for n := range uint64(window) {
		taken = append(taken, takeSeq(t, sink, n+1))
	}
	sink.None(t)
	require.LessOrEqual(t, src.Status().Received, uint64(window+1), "one may wait for its place")
	for n := range uint64(all) {
		if len(taken) == 0 {
			taken = append(taken, takeSeq(t, sink, n+1))
		}
		taken[0].Done(true)
		taken = taken[1:]
	}
	acked(t, p, seqs(1, all))
	<-sent
}

func stops(t *testing.T, start Start) {
	t.Helper()
	src, sink, p, stop := begin(t, start, 0, 16)
	for n := uint64(1); n <= 3; n++ {
		p.Send(n)
	}
	m := takeSeq(t, sink, 1) // the second waits in Offer
	began := time.Now()
	stop()
	require.Less(t, time.Since(began), 3*time.Second)
	require.False(t, src.Status().Connected)
	m.Done(true)
	m.Done(false)
}

// stopsInOrder stops a source whose messages are being committed.
func stopsInOrder(t *testing.T, start Start) {
	t.Helper()
	_, sink, p, stop := begin(t, start, 16, 16)
	var taken []source.Message
	for n := uint64(1); n <= 3; n++ {
		p.Send(n)
		taken = append(taken, takeSeq(t, sink, n))
	}
	time.AfterFunc(Quiet, func() {
		for _, m := range taken {
			m.Done(true)
		}
	})
	stop()
	acked(t, p, seqs(1, 3))
}

func status(t *testing.T, start Start) {
	t.Helper()
	src, sink, p, _ := begin(t, start, 64, 64)
	before := src.Status()
	require.NotEmpty(t, before.ID)
	require.NotEmpty(t, before.Type)
	require.Zero(t, before.Received)
	require.True(t, before.LastMessage.IsZero())
	require.Empty(t, before.Detail)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go sink.Drain(ctx)
	for n := range uint64(20) {
		p.Send(n + 1)
	}
	acked(t, p, seqs(1, 20))
	after := src.Status()
	require.Equal(t, uint64(20), after.Received)
	require.WithinDuration(t, time.Now(), after.LastMessage, Wait)
	require.NotEqual(t, after.LastMessage.Round(0), after.LastMessage, "on the monotonic clock: our own may be set back")
}
