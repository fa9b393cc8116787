package mqttwire

import (
	"sync"
	"time"
)

// The first bytes of acknowledgements (MQTT 5, sections 3.4 to 3.7).
const (
	puback  = 0x40
	pubrec  = 0x50
	pubcomp = 0x70
)

type slotState uint8

const (
	slotWaiting slotState = iota
	slotDone
	slotFailed
)

// Slot is one publish in flight to the sink.
type Slot struct {
	ID     uint16
	QoS    byte
	Reason byte // reason code of the acknowledgement, 0: success
	state  slotState
}

// Acks keeps the publishes of one connection in the order in which they came
// and hands out their acknowledgements in that order, whatever the order in
// which they are done [MQTT-4.6.0-2, MQTT-4.6.0-3].
type Acks struct {
	// Received, where it is set, gets the identifiers of QoS 2 publishes that
	// were acknowledged with PUBREC.
	Received *IDSet

	mu         sync.Mutex
	room       sync.Cond
	spawn      func()
	slots      []Slot // ring, a power of two
	head, tail uint64 // oldest in flight, next to come
	window     uint64
	out, spare []byte // packets to be written; the buffer that is not in use
	writing    bool   // a goroutine is writing
	closed     bool   // nothing is written any more
}

// Init prepares for at most window publishes in flight. spawn must start a
// goroutine that writes what Take returns until it returns nil; it is called
// with a lock held, not while such a goroutine runs, and never after Close.
func (a *Acks) Init(window int, spawn func()) {
	a.window, a.spawn = uint64(window), spawn
	a.room.L = &a.mu
}

// maxOut is how many bytes of acknowledgements wait to be written before no
// more is read of a client, which need not read them.
const maxOut = 64 << 10

// Reserve waits for room in the window, and for a client that does not read its
// acknowledgements, and takes the next slot; false means that the connection
// ended.
func (a *Acks) Reserve(s Slot) (seq uint64, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for (a.tail-a.head >= a.window || len(a.out) >= maxOut) && !a.closed {
		a.room.Wait()
	}
	if a.closed {
		return 0, false
	}
	if a.tail-a.head == uint64(len(a.slots)) {
		a.grow()
	}
	seq = a.tail
	a.tail++
	*a.at(seq) = s
	return seq, true
}

func (a *Acks) at(seq uint64) *Slot { return &a.slots[seq&uint64(len(a.slots)-1)] }

func (a *Acks) grow() {
	bigger := make([]Slot, max(4, 2*len(a.slots)))
	for seq := a.head; seq < a.tail; seq++ {
		bigger[seq&uint64(len(bigger)-1)] = *a.at(seq)
	}
	a.slots = bigger
}

// Finish marks a slot and collects what can be acknowledged by now. ok is false
// where the slot was finished before; failed tells that a publish was not
// taken: nothing after it is acknowledged.
func (a *Acks) Finish(seq uint64, committed bool) (acked int, failed, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if seq < a.head || seq >= a.tail || a.at(seq).state != slotWaiting {
		return 0, false, false
	}
	a.at(seq).state = slotFailed
	if committed {
		a.at(seq).state = slotDone
	}
	full := a.tail-a.head >= a.window
	for a.head < a.tail && a.at(a.head).state != slotWaiting {
		s := a.at(a.head)
		a.head++
		switch {
		case a.closed:
		case s.state == slotFailed:
			a.closed, failed = true, true
		case s.QoS > 0:
			if s.QoS == 2 && s.Reason == 0 && a.Received != nil {
				a.Received.Add(s.ID)
			}
			a.out = s.append(a.out)
			acked++
		}
	}
	if full || a.closed || a.head == a.tail {
		a.room.Broadcast() // to Reserve and Flush
	}
	a.start()
	return acked, failed, true
}

// Pubrec queues a PUBREC that belongs to no slot. It waits for a client that
// does not read; false means that the connection ended.
func (a *Acks) Pubrec(id uint16) bool { return a.add(pubrec, 2, byte(id>>8), byte(id)) }

// Pubcomp queues a PUBCOMP, as Pubrec does.
func (a *Acks) Pubcomp(id uint16) bool { return a.add(pubcomp, 2, byte(id>>8), byte(id)) }

func (a *Acks) add(packet ...byte) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.out) >= maxOut && !a.closed {
		a.room.Wait()
	}
	if a.closed {
		return false
	}
	a.out = append(a.out, packet...)
	a.start()
	return true
}

func (a *Acks) start() {
	if a.writing || a.closed || len(a.out) == 0 {
		return
	}
	a.writing = true
	a.spawn()
}

// Take returns what is to be written, nil when there is nothing left; done is
// the buffer that the last call returned.
func (a *Acks) Take(done []byte) []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	if cap(done) <= 16<<10 {
		a.spare = done[:0]
	}
	if len(a.out) == 0 || a.closed {
		a.writing = false
		a.room.Broadcast() // to Flush
		return nil
	}
	out := a.out
	a.out, a.spare = a.spare, nil
	if len(out) >= maxOut {
		a.room.Broadcast() // to Reserve and add
	}
	return out
}

// Flush waits until everything in flight is done and its acknowledgement
// written, for limit at most; after that nothing is written any more.
func (a *Acks) Flush(limit time.Duration) {
	timer := time.AfterFunc(limit, a.Close)
	defer timer.Stop()
	a.mu.Lock()
	defer a.mu.Unlock()
	for (a.writing || a.head < a.tail) && !a.closed {
		a.room.Wait()
	}
	a.closed = true
}

// Close ends it: nothing more is written, and who waits in Reserve returns.
func (a *Acks) Close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	a.room.Broadcast()
}

// InFlight is how many publishes are in flight to the sink.
func (a *Acks) InFlight() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return int(a.tail - a.head)
}

func (s *Slot) append(out []byte) []byte {
	kind := byte(puback)
	if s.QoS == 2 {
		kind = pubrec
	}
	if s.Reason != 0 {
		return append(out, kind, 3, byte(s.ID>>8), byte(s.ID), s.Reason)
	}
	return append(out, kind, 2, byte(s.ID>>8), byte(s.ID))
}
