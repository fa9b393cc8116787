package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire"
	"github.com/simpang-id/simpang/internal/wire/lorawan"
	"github.com/simpang-id/simpang/internal/wire/vendors"
)

// deviceTest decodes one LoRaWAN payload and prints its readings, one JSON
// object a line, without the identity and the time that a network would give.
func deviceTest(args []string, stdout, stderr io.Writer) error {
	fs, _ := flagSet("device test", stderr)
	profile := fs.String("profile", "", "`NAME` of the device's profile, as in devices.csv")
	text := fs.String("hex", "", "the payload in `HEX`; spaces and colons are passed over")
	port := fs.Int("fport", 1, "the LoRaWAN port, 1 to 255")
	kind := fs.String("kind", "", "the device's `KIND` where the profile allows several: gate or traffic")
	categories := fs.String("categories", "", "what a radar's categories are, like in devices.csv: `SM KR KB unknown`")
	if err := parse(fs, args); err != nil {
		return err
	}
	found, known := vendors.Find(*profile)
	payload, err := hex.DecodeString(strings.NewReplacer(" ", "", ":", "").Replace(*text))
	switch {
	case fs.NArg() > 0:
		return usagef("unexpected argument %q", fs.Arg(0))
	case !known:
		return usagef("-profile must be one of %s", strings.Join(vendors.Names(), ", "))
	case err != nil || len(payload) == 0:
		return usagef("-hex must be the payload in hexadecimal digits, like 01FF")
	case *port < 1 || *port > 255:
		return usagef("-fport must be 1 to 255")
	}
	d := &vendors.Device{Profile: *profile, Kind: found.Kinds[0]}
	if *kind != "" {
		d.Kind, _ = city.ParseKind(*kind)
	}
	if !slices.Contains(found.Kinds, d.Kind) {
		return usagef("-kind: %s is a %s, not a %s", *profile, found.About, *kind)
	}
	for word := range strings.FieldsSeq(*categories) {
		v, ok := vendors.ParseVehicle(word)
		if !ok {
			return usagef("-categories has %q: write SM, KR, KB, KTB or unknown", word)
		}
		d.Categories = append(d.Categories, v)
	}
	readings, err := lorawan.Readings(&lorawan.Event{Kind: lorawan.Uplink, Port: uint8(*port), Payload: payload}, "test", d)
	if err != nil {
		if refused, ok := errors.AsType[*wire.RefusedError](err); ok {
			return fmt.Errorf("%s: %w", refused.Reason, err)
		}
		return err
	}
	for i := range readings {
		line, err := json.Marshal(shown(&readings[i]))
		if err == nil {
			_, err = fmt.Fprintf(stdout, "%s\n", line)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// shown is a reading in the words of format native.
func shown(r *city.Reading) map[string]any {
	out := map[string]any{"kind": r.Kind.String()}
	put := func(name string, known bool, v any) {
		if known {
			out[name] = v
		}
	}
	if s := r.Spot; s != nil {
		out["occupied"] = s.Occupied
		put("dwell_s", s.DwellS.OK, s.DwellS)
		put("battery_v", s.Battery.OK, s.Battery)
		put("temperature_c", s.Temperature.OK, s.Temperature)
	}
	if g := r.Gate; g != nil {
		out["direction"], out["class"] = map[bool]string{false: "in", true: "out"}[g.Out], g.Class.String()
		put("total", g.Total.OK, g.Total)
	}
	if t := r.Traffic; t != nil {
		out["period_s"] = t.PeriodS
		lanes := []map[string]any{}
		for _, l := range t.Lanes {
			lane := map[string]any{"lane": l.Lane, "direction": map[bool]string{false: "forward", true: "backward"}[l.Backward]}
			if l.HasCounts {
				lane["counts"] = map[string]uint32{"SM": l.SM, "KR": l.KR, "KB": l.KB, "KTB": l.KTB, "unknown": l.Unknown}
			}
			if l.Total.OK {
				lane["total"] = l.Total
			}
			if l.Speed.OK {
				lane["speed_kmh"] = l.Speed
			}
			lanes = append(lanes, lane)
		}
		out["lanes"] = lanes
	}
	if h := r.Health; h != nil {
		put("battery_v", h.Battery.OK, h.Battery)
		put("battery_pct", h.BatteryPct.OK, h.BatteryPct)
		put("firmware", h.Firmware != "", h.Firmware)
		put("errors", len(h.Errors) > 0, h.Errors)
	}
	return out
}
