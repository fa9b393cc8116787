package watch

import "math"

// judgeBattery: the mean of the last voltages is under low_mv; it is well again
// 100 mV above. Source: facts/devices.md 5.3 (nwave calls 3.0 V low).
func (f *Follower) judgeBattery(x *judged) {
	p := &f.inv.Rules.DeviceBattery
	v := float64(x.g.Battery)
	switch {
	case p.Off:
		x.calm(saysBattery)
	case v == 0:
	case v < float64(p.LowMV):
		x.stands(saysBattery, p.RecoverMin, Sum{"battery_mv", int64(math.Round(v))})
	case v > float64(p.LowMV)+100:
		x.calm(saysBattery)
	}
}

// judgeSkew: the least of recv - at in two hours and ten readings at least is
// how far the device's clock is off, for a reading that waited for a link is
// behind others that did not. It is well again at half of the bound.
func (f *Follower) judgeSkew(x *judged) {
	p := &f.inv.Rules.DeviceSkew
	ahead, behind := int64(p.AheadS)*1000, int64(p.BehindS)*1000
	switch skew := x.g.Skew; {
	case p.Off:
		x.calm(saysSkew)
	case skew < -ahead || skew > behind:
		x.stands(saysSkew, p.RecoverMin, Sum{"behind_s", skew / 1000})
	case skew > -ahead/2 && skew < behind/2:
		x.calm(saysSkew)
	}
}

// judgeGaps: of the last 100 numbers or so a share did not come, for longer than
// a late reading takes.
func (f *Follower) judgeGaps(x *judged) {
	p, g := &f.inv.Rules.DeviceGaps, x.g
	share := float64(g.Lost) / max(1, float64(g.Lost+g.Got))
	switch {
	case p.Off:
		x.calm(saysGaps)
	case g.Lost >= float32(p.Least) && share >= p.Share:
		if g.Holed == 0 {
			g.Holed = x.now
		}
		if x.now-g.Holed >= int64(p.GraceMin)*minuteMs {
			x.stands(saysGaps, p.RecoverMin, Sum{"lost", int64(math.Round(float64(g.Lost)))}, Sum{"lost_permille", int64(math.Round(share * 1000))})
		}
	case share < p.Share/2:
		g.Holed = 0
		x.calm(saysGaps)
	default:
		g.Holed = 0
	}
}
