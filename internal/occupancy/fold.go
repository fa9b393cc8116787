package occupancy

import "slices"

// checkpointMs is how far behind the newest observation a fold is kept to go
// on from: what comes later than this is folded from its bucket's begin on.
const checkpointMs = 30_000

// fold walks one space through event time and adds up its buckets. What it
// computes depends on the observations, the inventory's versions, the closures
// and the horizon alone, never on when it runs.
type fold struct {
	f  *Follower
	sp *space

	t      int64
	acc    bucket
	fig    figures
	config config
	change int64 // when config changes next
	lost   []lostPlaces
	saveAt int64

	// spots and count
	free, occ, known, heard int64
	spoke                   map[string]int // count: of each device that was heard, how many series
	// gates
	levels    levels
	until     int64
	nextReset int64
}

// settle computes every roll-up of a space that is missing or touched, up to
// the clock.
func (f *Follower) settle(sp *space) error {
	horizon := f.clock
	if sp.activeUntil > sp.settled && horizon > sp.settled {
		sp.touched.add(sp.settled, min(horizon, sp.activeUntil))
	}
	if len(sp.touched) > 0 {
		sp.touched.merge(BucketMs)
		newest := int64(0)
		for _, s := range sp.series {
			if o, ok := s.last(); ok {
				newest = max(newest, o.at)
			}
		}
		saveAt := min(horizon, newest) - checkpointMs
		for _, x := range sp.touched {
			x.from, x.to = max(x.from, sp.floor), min(x.to+1, horizon)
			if x.from >= x.to {
				continue
			}
			w := fold{f: f, sp: sp, t: x.from, saveAt: saveAt}
			if c := sp.checkpoint; c.ok && floorTo(c.at, BucketMs) == x.from && c.at < x.to {
				w.t, w.acc, w.levels = c.at, c.acc, c.levels
			} else if sp.key.detection == gates {
				if err := w.startLevels(); err != nil {
					return err
				}
			}
			if err := w.run(x.to, horizon); err != nil {
				return err
			}
		}
		sp.touched = sp.touched[:0]
	}
	sp.settled = max(sp.settled, horizon)
	return nil
}

// run folds up to the time to, gates up to where nothing changes any more.
func (w *fold) run(to, horizon int64) error {
	for w.t < to {
		end := min(to, floorTo(w.t, blockMs)+blockMs)
		if w.sp.key.detection != gates {
			w.setConfig(end)
			if err := w.places(end); err != nil {
				return err
			}
			continue
		}
		end = min(horizon, floorTo(w.t, blockMs)+blockMs)
		w.setConfig(end)
		was, err := w.stored(end - 1)
		if err != nil {
			return err
		}
		if err := w.gates(end); err != nil {
			return err
		}
		if end < to {
			continue
		}
		if !was.empty() && was.levels == w.levels && end%BucketMs == 0 || end >= horizon {
			return nil
		}
		next, err := w.f.nextObs(w.sp.gate, end)
		if err != nil {
			return err
		}
		if w.until > end {
			next = end
		}
		if next >= horizon {
			return nil
		}
		w.jump(floorTo(next, BucketMs))
		to = w.t + 1
	}
	return nil
}

// stored returns the bucket in which t lies as it was computed before.
func (w *fold) stored(t int64) (bucket, error) {
	b, err := w.f.block(w.sp, t/blockMs)
	if err != nil {
		return bucket{}, err
	}
	return b[t%blockMs/BucketMs], nil
}

// jump goes to a later time over a stretch in which nothing is known.
func (w *fold) jump(t int64) {
	if w.sp.resetAfter(w.t-1, w.f.zone) < t {
		w.levels = levels{}
	}
	w.t = t
}

func (w *fold) setConfig(end int64) {
	w.lost = w.f.lostPlaces(w.sp, w.t, end)
	w.reconfigure()
}

func (w *fold) reconfigure() {
	w.config = w.sp.configs.at(w.t)
	w.change = w.sp.configs.change(w.t)
	var lost int64
	for _, x := range w.lost {
		if x.from <= w.t && w.t < x.to {
			lost += x.places
		}
		if x.from > w.t {
			w.change = min(w.change, x.from)
		}
		if x.to > w.t {
			w.change = min(w.change, x.to)
		}
	}
	w.config = w.config.lose(lost)
	w.figure()
}

// figure computes the figures after a change.
func (w *fold) figure() {
	switch w.sp.key.detection {
	case spots:
		w.fig = placesFigures(w.config.Capacity, w.free, w.occ)
	case count:
		w.fig = countFigures(w.config.Seen, w.occ, w.known, w.heard+w.config.unheard(len(w.spoke)))
	default:
		n := w.levels.sum()
		w.fig = figures{free: max(0, w.config.Seen-n), occ: n, ok: w.t < w.until}
	}
}

// advance lets the figures hold up to a time.
func (w *fold) advance(to int64) error {
	for w.t < to {
		bucketEnd := floorTo(w.t, BucketMs) + BucketMs
		end := min(to, bucketEnd, w.change)
		if w.t < w.saveAt {
			end = min(end, w.saveAt)
		}
		if w.t < w.until {
			end = min(end, w.until)
		}
		if w.fig.ok {
			w.acc.add(end-w.t, w.fig.free, w.fig.occ)
		}
		w.t = end
		if end == bucketEnd {
			if err := w.put(end - BucketMs); err != nil {
				return err
			}
			w.acc = bucket{}
		}
		if end == w.saveAt {
			w.sp.checkpoint = checkpoint{ok: true, at: end, acc: w.acc, levels: w.levels}
		}
		switch end {
		case w.change:
			w.reconfigure()
		case w.until:
			w.figure()
		}
	}
	return nil
}

// put writes the bucket that begins at t.
func (w *fold) put(t int64) error {
	b, err := w.f.block(w.sp, t/blockMs)
	if err != nil {
		return err
	}
	if !w.acc.empty() {
		w.acc.levels = w.levels
	}
	b[t%blockMs/BucketMs] = w.acc
	return nil
}

// finish writes the bucket that is still open.
func (w *fold) finish() error {
	if t := floorTo(w.t, BucketMs); t < w.t {
		return w.put(t)
	}
	return nil
}

// event is a change of what one series says.
type event struct {
	at  int64
	idx int
	v   uint64 // as in obs; vEnded where it ends or expires
}

// places folds spots or counts over a window of at most one block.
func (w *fold) places(end int64) error {
	f, from := w.f, w.t
	f.events, f.says = f.events[:0], f.says[:0]
	w.free, w.occ, w.known, w.heard = 0, 0, 0, 0
	clear(w.spoke)
	for idx, s := range w.sp.series {
		f.says = append(f.says, vUnsaid)
		if o, ok := s.last(); !ok || o.at < from && s.until(o) <= from && w.sp.key.detection == spots {
			continue
		}
		list, pred, err := f.read(s, from, end)
		if err != nil {
			return err
		}
		for i, o := range list {
			next := end
			if i+1 < len(list) {
				next = list[i+1].at
			}
			until := s.until(o)
			if i == 0 && pred {
				f.says[idx] = o.v
				if o.state() != vEnded && (until < from || until == from && next != from) {
					f.says[idx] = vExpired
				}
				w.say(s, vUnsaid, f.says[idx])
			} else if o.at == next {
				continue // another one at the same time holds
			} else {
				f.events = append(f.events, event{at: o.at, idx: idx, v: o.v})
			}
			if until > from && until < next && o.state() != vEnded {
				f.events = append(f.events, event{at: until, idx: idx, v: vExpired})
			}
		}
	}
	slices.SortFunc(f.events, func(a, b event) int {
		if a.at < b.at {
			return -1
		}
		if a.at > b.at {
			return 1
		}
		return a.idx - b.idx
	})
	w.figure()
	for _, e := range f.events {
		if err := w.advance(e.at); err != nil {
			return err
		}
		was := f.says[e.idx]
		f.says[e.idx] = e.v
		if w.sp.key.detection == spots {
			switch {
			case was&3 == vFree && e.v&3 == vOccupied:
				w.acc.arr++
			case was&3 == vOccupied && e.v&3 == vFree:
				w.acc.dep++
			}
		}
		w.say(w.sp.series[e.idx], was, e.v)
		w.figure()
	}
	if err := w.advance(end); err != nil {
		return err
	}
	return w.finish()
}

// Beside the states of an observation a series can be expired, or never have
// spoken.
const (
	vExpired = 3
	vUnsaid  = 7
)

// say moves one series from what it said to what it says.
func (w *fold) say(s *series, was, is uint64) {
	w.tally(s, -1, was)
	w.tally(s, 1, is)
}

func (w *fold) tally(s *series, sign int64, v uint64) {
	switch {
	case v&3 == vEnded || v == vUnsaid:
	case v == vExpired:
		w.hear(s, sign)
	case w.sp.key.detection == count:
		w.hear(s, sign)
		w.known += sign
		w.occ += sign * int64(v>>2)
	case v&3 == vOccupied:
		w.occ += sign
	default:
		w.free += sign
	}
}

// hear notes that a series of a counter was heard, or is not any more.
func (w *fold) hear(s *series, sign int64) {
	w.heard += sign
	if w.sp.key.detection != count {
		return
	}
	if w.spoke == nil {
		w.spoke = map[string]int{}
	}
	if w.spoke[s.device] += int(sign); w.spoke[s.device] == 0 {
		delete(w.spoke, s.device)
	}
}
