package occupancy

// setBack sets the clock back: intake's own clock ran ahead, was set right, and
// a person accepted it. What was computed past it is computed again when its
// time comes.
func (f *Follower) setBack(to int64) {
	f.clock, f.sweep = to, true
	f.purge.at = 0
	for _, sp := range f.spaces {
		if to < sp.settled {
			sp.touched.add(floorTo(to, BucketMs), to)
			sp.settled = to
		}
		sp.checkpoint = checkpoint{}
		if sp.key.detection == gates {
			sp.cur = gateCur{stale: true} // resets past the clock are in it
		}
	}
}
