package mqttwire_test

import (
	"bytes"
	"io"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/source/mqttwire"
)

// writer collects what Acks gives out, each time that it is asked to.
type writer struct {
	acks  mqttwire.Acks
	hold  chan struct{} // nil: writes at once
	tasks sync.WaitGroup
	mu    sync.Mutex
	out   bytes.Buffer
}

func newWriter(window int, hold chan struct{}) *writer {
	w := &writer{hold: hold}
	w.acks.Init(window, func() {
		w.tasks.Go(func() {
			for out := w.acks.Take(nil); out != nil; out = w.acks.Take(out) {
				if w.hold != nil {
					<-w.hold
				}
				w.mu.Lock()
				w.out.Write(out)
				w.mu.Unlock()
			}
		})
	})
	return w
}

func (w *writer) wrote() []byte {
	w.tasks.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return bytes.Clone(w.out.Bytes())
}

func (w *writer) reserve(t *testing.T, s mqttwire.Slot) uint64 {
	t.Helper()
	seq, ok := w.acks.Reserve(s)
	require.True(t, ok)
	return seq
}

func TestAcksAreBytesInOrder(t *testing.T) {
	w := newWriter(8, nil)
	var received mqttwire.IDSet
	w.acks.Received = &received
	one := w.reserve(t, mqttwire.Slot{ID: 0x0102, QoS: 1})
	zero := w.reserve(t, mqttwire.Slot{})
	two := w.reserve(t, mqttwire.Slot{ID: 3, QoS: 2})
	denied := w.reserve(t, mqttwire.Slot{ID: 4, QoS: 2, Reason: 0x87})
	for _, seq := range []uint64{denied, two, zero} {
		acked, failed, ok := w.acks.Finish(seq, true)
		require.Zero(t, acked)
		require.False(t, failed)
		require.True(t, ok)
	}
	require.Equal(t, 4, w.acks.InFlight())
	require.False(t, received.Has(3), "not before its ack")
	acked, _, _ := w.acks.Finish(one, true)
	require.Equal(t, 3, acked, "QoS 0 has no ack")
	require.Equal(t, []byte{0x40, 2, 1, 2, 0x50, 2, 0, 3, 0x50, 3, 0, 4, 0x87}, w.wrote())
	require.True(t, received.Has(3))
	require.False(t, received.Has(4), "a refused one awaits no PUBREL")
	require.Zero(t, w.acks.InFlight())
	w.acks.Pubcomp(9)
	w.acks.Pubrec(8)
	require.Equal(t, []byte{0x70, 2, 0, 9, 0x50, 2, 0, 8}, w.wrote()[13:])
}

func TestNothingIsAckedAfterAFailure(t *testing.T) {
	w := newWriter(8, nil)
	a, b, c := w.reserve(t, mqttwire.Slot{ID: 1, QoS: 1}), w.reserve(t, mqttwire.Slot{ID: 2, QoS: 1}), w.reserve(t, mqttwire.Slot{ID: 3, QoS: 1})
	_, failed, _ := w.acks.Finish(b, false)
	require.False(t, failed, "its turn has not come")
	acked, failed, ok := w.acks.Finish(a, true)
	require.True(t, failed)
	require.True(t, ok)
	require.Equal(t, 1, acked)
	_, _, ok = w.acks.Finish(a, true)
	require.False(t, ok, "twice")
	acked, failed, _ = w.acks.Finish(c, true)
	require.Zero(t, acked)
	require.False(t, failed, "told once")
	_, ok = w.acks.Reserve(mqttwire.Slot{})
	require.False(t, ok)
	_, _, ok = w.acks.Finish(99, true)
	require.False(t, ok)
}

func TestReserveWaitsForRoomAndEndsWithClose(t *testing.T) {
	w := newWriter(2, nil)
	first := w.reserve(t, mqttwire.Slot{ID: 1, QoS: 1})
	w.reserve(t, mqttwire.Slot{ID: 2, QoS: 1})
	got := make(chan bool)
	for range 2 {
		go func() {
			_, ok := w.acks.Reserve(mqttwire.Slot{ID: 3, QoS: 1})
			got <- ok
		}()
	}
	select {
	case <-got:
		require.FailNow(t, "there is no room")
	case <-time.After(50 * time.Millisecond):
	}
	w.acks.Finish(first, true)
	require.True(t, <-got, "one has room now")
	w.acks.Close()
	require.False(t, <-got)
}

func TestFlushWaitsForWhatIsInFlight(t *testing.T) {
	hold := make(chan struct{})
	w := newWriter(4, hold)
	seq := w.reserve(t, mqttwire.Slot{ID: 1, QoS: 1})
	flushed := make(chan struct{})
	go func() {
		w.acks.Flush(time.Minute)
		close(flushed)
	}()
	w.acks.Finish(seq, true)
	select {
	case <-flushed:
		require.FailNow(t, "nothing is written yet")
	case <-time.After(50 * time.Millisecond):
	}
	close(hold)
	<-flushed
	require.Len(t, w.wrote(), 4)

	w = newWriter(4, nil)
	w.reserve(t, mqttwire.Slot{ID: 1, QoS: 1}) // never done
	w.acks.Flush(time.Millisecond)
}

func TestStreamInPieces(t *testing.T) {
	publish := append([]byte{0x32, 0x80 | 0x0e, 0x27, 0, 3, 'a', '/', 'b', 0, 7}, bytes.Repeat([]byte("x"), 5000-1)...)
	ping := []byte{0xc0, 0}
	all := bytes.Join([][]byte{publish, ping, publish, ping}, nil)
	for name, reader := range map[string]io.Reader{
		"whole":      bytes.NewReader(all),
		"bytes":      iotest.OneByteReader(bytes.NewReader(all)),
		"halves":     iotest.HalfReader(bytes.NewReader(all)),
		"with error": iotest.DataErrReader(bytes.NewReader(all)),
	} {
		t.Run(name, func(t *testing.T) {
			s := mqttwire.NewStream(reader)
			for range 2 {
				h, err := s.Header()
				require.NoError(t, err)
				require.Equal(t, byte(mqttwire.Publish), h.Kind())
				p, err := s.Publish(h, false)
				require.NoError(t, err)
				require.Equal(t, "a/b", string(p.Topic))
				require.Equal(t, uint16(7), p.ID)
				s.Discard(p.Body)
				payload := make([]byte, 4000)
				require.NoError(t, s.ReadFull(payload))
				require.NoError(t, s.Skip(h.Total()-p.Body-len(payload)))
				h, err = s.Header()
				require.NoError(t, err)
				require.Equal(t, byte(mqttwire.Pingreq), h.Kind())
				var passed []byte
				for len(passed) < h.Total() {
					var b [16]byte
					n, err := s.Copy(b[:], h.Total()-len(passed))
					require.NoError(t, err)
					passed = append(passed, b[:n]...)
				}
				require.Equal(t, ping, passed)
			}
			_, err := s.Header()
			require.ErrorIs(t, err, io.EOF)
		})
	}
}
