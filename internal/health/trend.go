package health

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/sqlite"
)

// trend is what is slow to learn of a device. Most of a new city have none.
type trend struct {
	battery battery
	holes   []hole
	dirty   bool // to be written
}

// trends returns a device's trend, to be changed.
func (d *device) trends() *trend {
	if d.trend == nil {
		d.trend = new(trend)
	}
	return d.trend
}

// charge takes in a voltage that a reading tells.
func (d *device) charge(v city.Milli, at int64) {
	if v.OK {
		t := d.trends()
		t.battery.add(v.V, at)
		t.dirty = true
	}
}

const trendVersion = 1

func (t *trend) encode(dst []byte) []byte {
	b := &t.battery
	dst = append(dst, trendVersion, byte(b.step))
	dst = binary.AppendVarint(dst, b.now)
	dst = binary.AppendVarint(dst, b.n)
	dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(b.mean))
	dst = binary.AppendUvarint(dst, uint64(len(b.points)))
	for _, p := range b.points {
		dst = binary.AppendUvarint(dst, uint64(p))
	}
	dst = binary.AppendUvarint(dst, uint64(len(t.holes)))
	for _, h := range t.holes {
		flag := byte(0)
		if h.key.hasBoot {
			flag = 1
		}
		dst = append(dst, flag)
		for _, v := range []uint64{h.key.no, h.lo, h.hi} {
			dst = binary.AppendUvarint(dst, v)
		}
		dst = binary.AppendVarint(dst, h.at)
	}
	return dst
}

func decodeTrend(data []byte) (*trend, error) {
	r := reader{data: data}
	if r.byte() != trendVersion {
		return nil, errStored
	}
	t := &trend{}
	b := &t.battery
	b.step, b.now, b.n = int64(r.byte()), r.varint(), r.varint()
	if len(r.data) < 8 || b.step > maxStep || b.n < 0 {
		return nil, errStored
	}
	b.mean = math.Float64frombits(binary.LittleEndian.Uint64(r.data))
	r.data = r.data[8:]
	for range r.length() {
		p := r.uvarint()
		r.bad = r.bad || p > math.MaxUint32
		b.points = append(b.points, point(p))
	}
	for range r.length() {
		flag := r.byte()
		r.bad = r.bad || flag > 1
		h := hole{key: runKey{hasBoot: flag == 1, no: r.uvarint()}, lo: r.uvarint(), hi: r.uvarint(), at: r.varint()}
		r.bad = r.bad || h.lo > h.hi
		t.holes = append(t.holes, h)
	}
	if r.bad || len(r.data) != 0 || len(b.points) > maxPoints || len(t.holes) > maxHoles || math.IsNaN(b.mean) {
		return nil, errStored
	}
	return t, nil
}

func (f *Follower) loadTrends() error {
	byID := make(map[int64]*device, len(f.devices))
	for _, d := range f.devices {
		byID[d.id] = d
	}
	rows, err := f.db.R.QueryContext(f.ctx, "SELECT device, data, sum FROM trend")
	if err != nil {
		return fmt.Errorf("trends: %w", err)
	}
	defer closeRows(rows)
	for rows.Next() {
		var id, sum int64
		var data []byte
		if err := rows.Scan(&id, &data, &sum); err != nil {
			return fmt.Errorf("trends: %w", err)
		}
		if err := sqlite.CheckSum(sum, "trend", id, data); err != nil {
			return fmt.Errorf("trend %d: %w", id, err)
		}
		t, err := decodeTrend(data)
		if err != nil {
			return fmt.Errorf("trend %d: %w", id, err)
		}
		if d := byID[id]; d != nil {
			d.trend = t
		}
	}
	return rows.Err()
}

// writeTrends writes those of the devices that are written.
func (f *Follower) writeTrends() error {
	rows := f.db.Rows(f.ctx, "INSERT INTO trend (device, data, sum) VALUES (?, ?, ?) ON CONFLICT (device) DO UPDATE SET data = excluded.data, sum = excluded.sum")
	var data []byte
	for _, d := range f.dirty {
		if d.trend == nil || !d.trend.dirty {
			continue
		}
		data = d.trend.encode(data[:0])
		rows.Int(d.id)
		rows.Blob(data)
		rows.Sum("trend")
		rows.Exec()
	}
	return rows.Close()
}
