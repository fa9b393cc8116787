package occupancy

// gates folds a space with gates over a window of at most one block.
func (w *fold) gates(end int64) error {
	s, from := w.sp.gate, w.t
	w.until = 0
	w.nextReset = w.sp.resetAfter(from-1, w.f.zone)
	list, pred, err := w.f.read(s, from, end)
	if err != nil {
		return err
	}
	if pred {
		w.until = s.until(list[0])
		list = list[1:]
	}
	w.figure()
	for _, o := range list {
		if err := w.reset(o.at); err != nil {
			return err
		}
		if err := w.advance(o.at); err != nil {
			return err
		}
		w.until = s.until(o)
		class, n := o.passed()
		switch {
		case o.v == gateEnded:
		case class == gateThrough:
			w.acc.arr += n
			w.acc.dep += n
		default:
			w.acc.drift += w.levels.pass(class, n, w.sp.configs.at(o.at).Capacity)
			w.acc.arr += max(0, n)
			w.acc.dep += max(0, -n)
		}
		w.figure()
	}
	if err := w.reset(end - 1); err != nil {
		return err
	}
	if err := w.advance(end); err != nil {
		return err
	}
	return w.finish()
}

// reset walks over the resets up to and at t.
func (w *fold) reset(t int64) error {
	for w.nextReset <= t {
		if err := w.advance(w.nextReset); err != nil {
			return err
		}
		w.levels = levels{}
		w.figure()
		w.nextReset = w.sp.resetAfter(w.nextReset, w.f.zone)
	}
	return nil
}

// startLevels sets the levels just before the fold's begin: those of the last
// bucket before it that is known, unless a reset lies between.
func (w *fold) startLevels() error {
	w.levels = levels{}
	for no, last := (w.t-1)/blockMs, (w.t-1)%blockMs/BucketMs; w.t > 0 && no >= 0; no, last = no-1, blockBuckets-1 {
		found, err := w.f.storedBefore(w.sp, no)
		if err != nil {
			return err
		}
		for held := range w.sp.blocks {
			if held <= no {
				found = max(found, held)
			}
		}
		if found < 0 {
			return nil
		}
		if found < no {
			no, last = found, blockBuckets-1
		}
		b := w.sp.blocks[no]
		if b == nil {
			if b, err = w.f.storedBlock(w.f.ctx, w.sp, no); err != nil {
				return err
			}
		}
		for i := last; i >= 0; i-- {
			if b[i].empty() {
				continue
			}
			end := no*blockMs + (i+1)*BucketMs
			if w.sp.resetAfter(end-1, w.f.zone) >= w.t {
				w.levels = b[i].levels
			}
			return nil
		}
	}
	return nil
}

// nextObs returns the time of the first observation at or after t, maxAt+1
// for none.
func (f *Follower) nextObs(s *series, t int64) (int64, error) {
	if o, ok := s.last(); !ok || o.at < t {
		return maxAt + 1, nil
	}
	if s.tail.lo <= t {
		return s.tail.obs[before(s.tail.obs, t)].at, nil
	}
	list, pred, err := f.read(s, t, t+1)
	if err != nil {
		return 0, err
	}
	if pred {
		list = list[1:]
	}
	if len(list) > 0 {
		return list[0].at, nil
	}
	chunks, err := f.chunks(s, t, t+1)
	if err != nil {
		return 0, err
	}
	lo := t
	for _, c := range chunks {
		if i := before(c.obs, t); i < len(c.obs) {
			return c.obs[i].at, nil
		}
		lo = c.lo
	}
	return f.nextLo(s, lo)
}

// anchorMs is how far behind the newest passage the present can be computed
// anew from memory, at least.
const anchorMs = 2000

// refreshGate computes the present of a space with gates anew.
func (f *Follower) refreshGate(sp *space) error {
	newest, ok := sp.gate.last()
	if !ok {
		return nil
	}
	from := sp.cur.anchor
	if !from.ok || sp.cur.lateFrom < from.at {
		if err := f.settle(sp); err != nil {
			return err
		}
		w := fold{f: f, sp: sp, t: floorTo(min(f.clock, newest.at), BucketMs)}
		if c := sp.checkpoint; c.ok {
			w.t, w.levels = c.at, c.levels
		} else if err := w.startLevels(); err != nil {
			return err
		}
		from = anchor{ok: true, at: w.t, levels: w.levels}
	}
	sp.cur = gateCur{at: from.at - 1, levels: from.levels, nextReset: sp.resetAfter(from.at-1, f.zone), anchor: from}
	list, pred, err := f.read(sp.gate, from.at, maxAt+1)
	if err != nil {
		return err
	}
	if pred {
		list = list[1:]
	}
	// The next time will begin among the newest observations.
	at := max(from.at, min(newest.at-anchorMs, sp.gate.tail.obs[len(sp.gate.tail.obs)/2].at))
	for _, o := range list {
		if o.at >= at && sp.cur.anchor.at < at {
			f.resetNow(sp, at-1)
			sp.cur.anchor = anchor{ok: true, at: at, levels: sp.cur.levels}
		}
		f.passNow(sp, o)
	}
	f.resetNow(sp, f.clock)
	return nil
}

// passNow lets the newest observation change the present.
func (f *Follower) passNow(sp *space, o obs) {
	f.resetNow(sp, o.at)
	sp.cur.at = o.at
	if class, n := o.passed(); class != gateThrough {
		sp.cur.levels.pass(class, n, sp.configs.at(o.at).Capacity)
	}
}

// resetNow walks the present over the resets up to and at t. Only the last one
// matters; it is looked for from two days before t on.
func (f *Follower) resetNow(sp *space, t int64) {
	if sp.cur.nextReset > t {
		return
	}
	sp.cur.levels = levels{}
	if late := sp.resetAfter(t-2*dayMs, f.zone); late > sp.cur.nextReset && late <= t {
		sp.cur.nextReset = late
	}
	for sp.cur.nextReset <= t {
		sp.cur.at = sp.cur.nextReset
		sp.cur.nextReset = sp.resetAfter(sp.cur.at, f.zone)
	}
}
