package occupancy

// Closed returns the times within [from, to) (Unix ms) at which a site was
// closed as a whole: each from inclusive, to exclusive, in order, apart.
func (f *Follower) Closed(site string, from, to int64) [][2]int64 {
	f.mu.RLock()
	defer f.mu.RUnlock()
	var closed spans
	for _, x := range f.closedSpans(site, from, to) {
		if !x.PlacesLost.OK {
			closed = append(closed, span{x.From, x.To - 1})
		}
	}
	closed.merge(1)
	out := make([][2]int64, len(closed))
	for i, x := range closed {
		out[i] = [2]int64{x.from, x.to + 1}
	}
	return out
}
