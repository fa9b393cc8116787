package world

import (
	"bytes"
	"fmt"
	"sort"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire/native"
)

// element is one element of a message: a reading, or what is none.
type element struct {
	raw     []byte
	reading *city.Reading // nil: it is to be refused
	reason  city.Reason   // why
}

// message is what a device has published and its source holds.
type message struct {
	n        int
	source   string
	device   string
	topic    string
	qos      int // 0: a copy that we do not take is gone
	payload  []byte
	elements []element
	due      int64 // true time of the next delivery, Unix ms
	out      bool  // offered, and neither answered nor lost
	acked    bool  // the source has the acknowledgement
	told     bool  // we acknowledged it once, whatever came of it
	over     bool  // nothing more is sent
	sends    int
}

// network is every source's own memory.
type network struct {
	all  []*message
	wait []*message // not over, in the order of their numbers
}

// publish sends readings as one message, or as one each.
func (w *World) publish(x *device, readings []*city.Reading) {
	var list []element
	for _, r := range readings {
		e := element{raw: native.Encode(r), reading: r}
		if w.dice.chance(4) {
			e = w.corrupt(e)
		}
		list = append(list, e)
	}
	for len(list) > 0 {
		n := 1
		if len(list) > 1 && w.dice.chance(60) {
			n = len(list)
		}
		w.send(x, list[:n], n > 1 || w.dice.chance(20))
		list = list[n:]
	}
}

// corrupt makes an element that is refused, for a reason that is known.
func (w *World) corrupt(e element) element {
	e.reading = nil
	raw := string(e.raw)
	var from, to string
	switch w.dice.n(4) {
	case 0:
		e.reason, from, to = city.ReasonUnknownKind, `"kind":"`, `"kind":"x`
	case 1:
		e.reason, from, to = city.ReasonMissingMember, `"at":`, `"was":`
	case 2:
		e.reason, from, to = city.ReasonImpossible, `"seq":`, `"seq":-`
		if bytes.Contains(e.raw, []byte(`"seq":0,`)) {
			e.reason, from, to = city.ReasonWrongType, `"at":"`, `"at":"x`
		}
	default:
		e.reason, from, to = city.ReasonDeviceMismatch, `{`, `{"device":"another",`
	}
	e.raw = bytes.Replace([]byte(raw), []byte(from), []byte(to), 1)
	return e
}

func (w *World) send(x *device, list []element, array bool) {
	m := &message{
		n: len(w.net.all), source: x.source, device: x.id, topic: fmt.Sprintf("sg/v1/%s/up", x.id), qos: 1,
		elements: append([]element(nil), list...),
	}
	if x.source == "lora" {
		m.qos = 0
	}
	m.payload = list[0].raw
	if array {
		raws := make([][]byte, len(list))
		for i := range list {
			raws[i] = list[i].raw
		}
		m.payload = append(append([]byte{'['}, bytes.Join(raws, []byte{','})...), ']')
	}
	if w.dice.chance(2) { // cut off on the way, before the source saw it
		m.payload = m.payload[:1+w.dice.n(len(m.payload)-1)]
		m.elements = []element{{raw: m.payload, reason: city.ReasonNotJSON}}
	}
	m.due = w.now + w.delay()
	w.net.all = append(w.net.all, m)
	if m.qos == 0 && w.dice.chance(8) {
		m.over = true
		w.note("lost %d", m.n)
		return
	}
	w.net.wait = append(w.net.wait, m)
}

// delay is how long a message is on its way.
func (w *World) delay() int64 {
	switch {
	case w.dice.chance(75):
		return w.dice.between(0, 4*second)
	case w.dice.chance(70):
		return w.dice.between(5*second, 10*minute)
	default:
		return w.dice.between(hour, 40*hour)
	}
}

// next returns what is due, the longest due first.
func (w *World) next() *message {
	var found *message
	for _, m := range w.net.wait {
		if !m.out && m.due <= w.now && (found == nil || m.due < found.due) {
			found = m
		}
	}
	return found
}

// answered is called when the gateway is done with a message.
func (w *World) answered(m *message, committed bool) {
	if !m.out {
		failf("message %d is answered twice", m.n)
	}
	m.out = false
	if !committed {
		m.due = w.now + w.dice.between(second, minute)
		m.over = m.qos == 0
		return
	}
	m.told = true
	switch {
	case w.dice.chance(6): // the acknowledgement is lost, or QoS 0 delivers twice
		m.due = w.now + w.dice.between(0, 2*minute)
	case w.dice.chance(3): // a copy comes back after long
		m.due = w.now + w.dice.between(hour, 20*hour)
		m.acked = true
	default:
		m.acked, m.over = true, true
	}
}

// cutOff is called when the gateway has died: what it held is with the sources.
func (w *World) cutOff() {
	for _, m := range w.net.wait {
		if m.out {
			m.out = false
			m.over = m.qos == 0
			m.due = w.now + w.dice.between(0, 30*second)
		}
	}
	w.sweep()
	if w.dice.chance(30) { // sessions come back in any order
		w.dice.Shuffle(len(w.net.wait), func(i, j int) { w.net.wait[i], w.net.wait[j] = w.net.wait[j], w.net.wait[i] })
	} else {
		sort.Slice(w.net.wait, func(i, j int) bool { return w.net.wait[i].n < w.net.wait[j].n })
	}
}

// sweep forgets what is over.
func (w *World) sweep() {
	rest := w.net.wait[:0]
	for _, m := range w.net.wait {
		if !m.over {
			rest = append(rest, m)
		}
	}
	w.net.wait = rest
}
