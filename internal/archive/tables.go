package archive

import (
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

// Other is the name of the file of entries that are no readings.
const Other = "other"

// tables are the files of a day, in the order in which they are written.
var tables = []table{
	kindTable[otherRow]{Other, city.KindNone, otherRows, otherEntry},
	kindTable[spotRow]{city.KindSpot.String(), city.KindSpot, spotRows, spotEntry},
	kindTable[gateRow]{city.KindGate.String(), city.KindGate, gateRows, gateEntry},
	kindTable[countRow]{city.KindCount.String(), city.KindCount, countRows, countEntry},
	kindTable[laneRow]{city.KindTraffic.String(), city.KindTraffic, laneRows, laneEntry},
	kindTable[receiptRow]{city.KindReceipt.String(), city.KindReceipt, receiptRows, receiptEntry},
	kindTable[healthRow]{city.KindHealth.String(), city.KindHealth, healthRows, healthEntry},
}

// kindOf returns the kind of a reading, KindNone for other entries: the first
// key of the order in which a day is archived.
func kindOf(e *journal.Entry) city.Kind {
	if e.Type != journal.TypeReading {
		return city.KindNone
	}
	return e.Reading.Kind
}

func tableOf(name string) table {
	for _, t := range tables {
		if t.name() == name {
			return t
		}
	}
	return nil
}

func otherRows(dst []otherRow, e *journal.Entry) ([]otherRow, error) {
	body, err := journal.EncodeBody(nil, e)
	return append(dst, otherRow{Pos: e.Pos, Recv: e.Recv, Type: int32(e.Type), Flags: int32(e.Flags), Source: e.Source, Body: body}), err
}

func otherEntry(c *cells) (journal.Entry, int, error) {
	e := journal.Entry{Pos: c.uint(), Recv: c.int(), Type: journal.Type(c.int32()), Flags: journal.Flags(c.int32()), Source: c.string()}
	return e, 1, journal.DecodeBody(&e, c.bytes())
}

func spotRows(dst []spotRow, e *journal.Entry) ([]spotRow, error) {
	s := e.Reading.Spot
	return append(dst, spotRow{commonOf(e), s.Occupied, optInt(&s.DwellS), optMilli(&s.Battery), optMilli(&s.Temperature), optMilli(&s.RSSI), optMilli(&s.SNR)}), nil
}

func spotEntry(c *cells) (journal.Entry, int, error) {
	e, reading := c.reading(city.KindSpot)
	reading.Spot = give(&c.spots, c)
	*reading.Spot = city.Spot{Occupied: c.bool(), DwellS: c.someInt(), Battery: c.someMilli(), Temperature: c.someMilli(), RSSI: c.someMilli(), SNR: c.someMilli()}
	return e, 1, nil
}

func gateRows(dst []gateRow, e *journal.Entry) ([]gateRow, error) {
	g := e.Reading.Gate
	return append(dst, gateRow{commonOf(e), choose(g.Out, in, out), g.Class.String(), int64(g.Count), optInt(&g.Total)}), nil
}

func gateEntry(c *cells) (journal.Entry, int, error) {
	e, reading := c.reading(city.KindGate)
	direction := c.string()
	class, err := classOf(c.string())
	reading.Gate = &city.Gate{Out: direction == out, Class: class, Count: uint32(c.int()), Total: c.someInt()}
	return e, 1, err
}

func countRows(dst []countRow, e *journal.Entry) ([]countRow, error) {
	c := e.Reading.Count
	return append(dst, countRow{commonOf(e), c.Class.String(), int64(c.Occupied)}), nil
}

func countEntry(c *cells) (journal.Entry, int, error) {
	e, reading := c.reading(city.KindCount)
	class, err := classOf(c.string())
	reading.Count = &city.Count{Class: class, Occupied: uint32(c.int())}
	return e, 1, err
}

func laneRows(dst []laneRow, e *journal.Entry) ([]laneRow, error) {
	t, c := e.Reading.Traffic, commonOf(e)
	if len(t.Lanes) == 0 {
		return append(dst, laneRow{common: c, PeriodS: int64(t.PeriodS)}), nil
	}
	for i := range t.Lanes {
		l := &t.Lanes[i]
		lane, direction := int64(l.Lane), choose(l.Backward, forward, backward)
		dst = append(dst, laneRow{
			common: c, PeriodS: int64(t.PeriodS), Lane: &lane, Direction: &direction,
			SM: optCount(l.HasCounts, l.SM), KR: optCount(l.HasCounts, l.KR), KB: optCount(l.HasCounts, l.KB), KTB: optCount(l.HasCounts, l.KTB), Unknown: optCount(l.HasCounts, l.Unknown),
			Speed: optMilli(&l.Speed), Occupancy: optMilli(&l.Occupancy), Total: optInt(&l.Total),
		})
	}
	return dst, nil
}

func laneEntry(c *cells) (journal.Entry, int, error) {
	e, reading := c.reading(city.KindTraffic)
	reading.Traffic = &city.Traffic{PeriodS: uint32(c.int())}
	lanes := c.column
	if c.next().IsNull() {
		return e, 1, nil
	}
	reading.Traffic.Lanes = make([]city.Lane, c.same())
	for i := range reading.Traffic.Lanes {
		c.column = lanes
		reading.Traffic.Lanes[i] = laneOf(c)
		c.row++
	}
	return e, len(reading.Traffic.Lanes), nil
}

func laneOf(c *cells) city.Lane {
	l := city.Lane{Lane: uint16(c.int()), Backward: c.string() == backward}
	for _, n := range [...]*uint32{&l.SM, &l.KR, &l.KB, &l.KTB, &l.Unknown} {
		count := c.someInt()
		*n, l.HasCounts = uint32(count.V), count.OK
	}
	l.Speed, l.Occupancy, l.Total = c.someMilli(), c.someMilli(), c.someInt()
	return l
}

func receiptRows(dst []receiptRow, e *journal.Entry) ([]receiptRow, error) {
	r := e.Reading.Receipt
	return append(dst, receiptRow{
		common: commonOf(e), Receipt: r.Number, Amount: int64(r.Amount), Method: r.Method.String(), Class: r.Class.String(),
		EnteredAt: optInt(&r.EnteredAt), LeftAt: optInt(&r.LeftAt), Void: r.Void, PlateHash: r.PlateHash,
		TotalCount: optInt(&r.TotalCount), TotalAmount: optInt(&r.TotalAmount),
	}), nil
}

func receiptEntry(c *cells) (journal.Entry, int, error) {
	e, reading := c.reading(city.KindReceipt)
	r := &city.Receipt{Number: c.string(), Amount: city.Rupiah(c.int())}
	reading.Receipt = r
	var err error
	if r.Method, err = methodOf(c.string()); err != nil {
		return e, 1, err
	}
	if r.Class, err = classOf(c.string()); err != nil {
		return e, 1, err
	}
	r.EnteredAt, r.LeftAt, r.Void, r.PlateHash = c.someInt(), c.someInt(), c.bool(), c.bytes()
	r.TotalCount, r.TotalAmount = c.someInt(), c.someInt()
	return e, 1, nil
}

func healthRows(dst []healthRow, e *journal.Entry) ([]healthRow, error) {
	h := e.Reading.Health
	return append(dst, healthRow{commonOf(e), optMilli(&h.Battery), optInt(&h.UptimeS), h.Firmware, h.Errors, optMilli(&h.RSSI), optMilli(&h.SNR), optMilli(&h.BatteryPct)}), nil
}

func healthEntry(c *cells) (journal.Entry, int, error) {
	e, reading := c.reading(city.KindHealth)
	reading.Health = &city.Health{
		Battery: c.someMilli(), UptimeS: c.someInt(), Firmware: c.string(), Errors: c.strings(),
		RSSI: c.someMilli(), SNR: c.someMilli(), BatteryPct: c.someMilli(),
	}
	return e, 1, nil
}
