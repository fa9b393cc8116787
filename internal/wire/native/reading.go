package native

import (
	"math"
	"unicode/utf8"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire"
)

// reading fills r from the scanned object and returns the members that its
// kind allows. What is wrong is noted as the object's fault.
// maxEnd is the largest counter_end: of 32 bits times the largest scale.
const maxEnd = 1 << 53

func (o *object) reading(r *city.Reading) set {
	var ok bool
	if !o.has.has(mKind) {
		o.refuse(city.ReasonMissingMember, "kind is missing")
	} else if text := o.text(mKind); text != nil {
		if r.Kind, ok = city.ParseKind(string(text)); !ok {
			o.refuse(city.ReasonUnknownKind, "kind must be spot, gate, count, traffic, receipt or health")
		}
	}
	if r.Kind == city.KindNone {
		return of(mKind, mSeq, mBoot, mAt, mDevice)
	}
	o.check(shapes[r.Kind])
	r.Seq = o.unsigned(mSeq, math.MaxUint64)
	r.Boot, r.HasBoot = o.unsigned(mBoot, math.MaxUint64), o.has.has(mBoot)
	r.At = o.instant(mAt)
	switch r.Kind {
	case city.KindSpot:
		r.Spot = &city.Spot{
			Occupied:    o.boolean(mOccupied),
			DwellS:      o.seconds(mDwell, wire.MaxDwellS),
			Battery:     o.measured(mBattery, 0, wire.MaxBattery),
			Temperature: o.measured(mTemperature, wire.MinTemperature, wire.MaxTemperature),
			RSSI:        o.measured(mRSSI, wire.MinRSSI, wire.MaxRSSI),
		}
	case city.KindGate:
		r.Gate = &city.Gate{Out: o.out(), Class: o.class(), Count: 1}
		if o.has.has(mCount) {
			r.Gate.Count = uint32(o.unsigned(mCount, wire.MaxVehicles))
		}
		if r.Gate.Total = o.whole(mCounter, wire.MaxTotalCount); r.Gate.Total.OK && r.Gate.Total.V < 0 {
			o.impossible(mCounter, "0 or more")
		}
		r.Gate.End = o.whole(mCounterEnd, maxEnd).V
	case city.KindCount:
		r.Count = &city.Count{Class: o.class(), Occupied: uint32(o.unsigned(mOccupied, wire.MaxVehicles))}
	case city.KindTraffic:
		r.Traffic = o.traffic()
	case city.KindReceipt:
		r.Receipt = o.receipt()
	case city.KindHealth:
		r.Health = &city.Health{
			Battery:  o.measured(mBattery, 0, wire.MaxBattery),
			UptimeS:  o.seconds(mUptime, wire.MaxUptimeS),
			Firmware: o.word(mFirmware, wire.MaxWordBytes),
			Errors:   o.errors(),
		}
	case city.KindNone:
	}
	if device := o.text(mDevice); device != nil && r.Device != "" && string(device) != r.Device {
		o.refuse(city.ReasonDeviceMismatch, "device is not the one of the topic")
	}
	return shapes[r.Kind].allowed
}

func (o *object) out() bool {
	text := o.text(mDirection)
	switch string(text) {
	case "in":
	case "out":
		return true
	default:
		if text != nil {
			o.impossible(mDirection, "in or out")
		}
	}
	return false
}

func (o *object) class() city.Class {
	text := o.text(mClass)
	if text == nil {
		return city.ClassNone
	}
	class, ok := city.ParseClass(string(text))
	if !ok {
		o.impossible(mClass, "car, motorcycle, truck, bus, bicycle or unknown")
	}
	return class
}

func (o *object) receipt() *city.Receipt {
	r := &city.Receipt{
		Number:      o.word(mReceipt, wire.MaxReceiptBytes),
		Amount:      city.Rupiah(o.unsigned(mAmount, wire.MaxAmount)),
		Class:       o.class(),
		Void:        o.boolean(mVoid),
		TotalCount:  o.whole(mTotalCount, wire.MaxTotalCount),
		TotalAmount: o.whole(mTotalAmount, wire.MaxTotalAmount),
	}
	if text := o.text(mMethod); text != nil {
		var ok bool
		if r.Method, ok = city.ParseMethod(string(text)); !ok {
			o.impossible(mMethod, "cash, qris, emoney, card, subscription or free")
		}
	}
	if o.has.has(mEntered) {
		r.EnteredAt = city.SomeInt(o.instant(mEntered))
	}
	if o.has.has(mLeft) {
		r.LeftAt = city.SomeInt(o.instant(mLeft))
	}
	if plate := o.text(mPlate); len(plate) > wire.MaxPlateBytes {
		o.impossible(mPlate, "shorter")
	} else {
		r.Plate = string(plate)
	}
	return r
}

func (o *object) errors() []string {
	if !o.has.has(mErrors) {
		return nil
	}
	if o.raw(mErrors)[0] != '[' {
		o.wrongType(mErrors, "an array of strings")
		return nil
	}
	var list []string
	_, _ = elements(o.b, int(o.at[mErrors].from), 0, func(value span) { // checked by scan
		raw := o.b[value.from:value.to]
		if raw[0] != '"' {
			o.wrongType(mErrors, "an array of strings")
			return
		}
		text := unquote(raw)
		if len(list) < wire.MaxErrors {
			list = append(list, cut(text, wire.MaxWordBytes))
		}
	})
	return list
}

// cut returns the characters of text that fit into most bytes.
func cut(text []byte, most int) string {
	if len(text) > most {
		for most > 0 && !utf8.RuneStart(text[most]) {
			most--
		}
		text = text[:most]
	}
	return string(text)
}
