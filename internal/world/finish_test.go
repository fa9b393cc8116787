package world

// finish lets everything arrive, and checks the answers.
func (w *World) finish() {
	w.settling, w.cutIn, w.skew = true, 0, 0
	if w.disk != nil {
		w.disk.CutAfter(-1)
	}
	w.note("finish")
	w.tick()
	w.drain()
	if len(w.sys.items) > 0 {
		w.sys.clock.Accept(w.instant())
		w.sys.accepted = true
		w.drain()
	}
	for round := range 3 {
		for _, m := range w.net.wait {
			m.due = min(m.due, w.now)
		}
		for i := 0; len(w.net.wait) > 0; i++ {
			if i > 100_000 {
				failf("messages never end: %d wait", len(w.net.wait))
			}
			if !w.deliver() {
				w.drain()
				w.sweep()
				for _, m := range w.net.wait {
					m.due = min(m.due, w.now)
				}
			}
		}
		w.drain()
		if round < 2 {
			for range 5 {
				w.retry()
				w.drain()
			}
			w.advance(20*second, false)
		}
	}
	w.tick()
	w.drain()
	w.catchUp()
	w.putAway()
	w.catchUp()
	if w.dice.chance(40) {
		w.abandon()
		w.model.cut()
		w.open()
		w.drain()
		w.catchUp()
	}
	if w.dice.chance(30) {
		w.echo()
	}
	w.check()
	w.rebuild()
	w.note("whole %x", w.hash())
	w.abandon()
	w.verify()
}

// echo lets sources send once more what they ever sent: nothing of it is new.
func (w *World) echo() {
	w.note("echo")
	before := w.model.stored()
	for _, m := range w.net.all {
		if !m.told || !w.model.knows(m) {
			continue
		}
		for m.out, m.due = false, w.now; !w.deliverThis(m); {
			w.drain()
		}
	}
	w.drain()
	w.sweep()
	if after := w.model.stored(); after != before {
		failf("%d readings are new when all is sent again", after-before)
	}
	w.tick()
	w.drain()
	w.catchUp()
}
