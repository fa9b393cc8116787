package traffic

// Series is how many lanes of devices are held.
func (f *Follower) Series() int { return len(f.all) }
