package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/config"
	"github.com/simpang-id/simpang/internal/source/sandbox"
	"github.com/simpang-id/simpang/internal/wire"
	"github.com/simpang-id/simpang/internal/wire/lorawan"
	"github.com/simpang-id/simpang/internal/wire/vendors"
)

// deviceTest decodes one LoRaWAN payload and prints its readings, one JSON
// object a line, without the identity that a network would give. A vendor's
// codec tells what it returned first, on stderr.
func deviceTest(outer *configFlags, args []string, stdout, stderr io.Writer) (err error) {
	fs, flags := flagSet("device test", stderr)
	flags.file, flags.set = outer.file, outer.set
	profile := fs.String("profile", "", "`NAME` of the device's profile, as in devices.csv; one of codecs_file needs -config")
	text := fs.String("hex", "", "the payload in `HEX`; spaces and colons are passed over")
	port := fs.Int("fport", 1, "the LoRaWAN port, 1 to 255")
	kind := fs.String("kind", "", "the device's `KIND` where the profile allows several, like gate or traffic")
	categories := fs.String("categories", "", "what a radar's categories are, like in devices.csv: `SM KR KB unknown`")
	at := fs.String("at", "", "when the network received it, RFC 3339; default now")
	if err := parse(fs, args); err != nil {
		return err
	}
	codecs, err := flags.codecs()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, codecs.Close()) }()
	payload, wrongHex := hex.DecodeString(strings.NewReplacer(" ", "", ":", "").Replace(*text))
	received, wrongTime := time.Now(), error(nil)
	if *at != "" {
		received, wrongTime = time.Parse(time.RFC3339, *at)
	}
	about, kinds, known := profileOf(codecs, *profile)
	switch {
	case fs.NArg() > 0:
		return usagef("unexpected argument %q", fs.Arg(0))
	case !known:
		return usagef("-profile must be one of %s", strings.Join(slices.Concat(codecs.Names(), vendors.Names()), ", "))
	case wrongHex != nil || len(payload) == 0:
		return usagef("-hex must be the payload in hexadecimal digits, like 01FF")
	case *port < 1 || *port > 255:
		return usagef("-fport must be 1 to 255")
	case wrongTime != nil:
		return usagef("-at must be like 2026-03-02T08:15:00+07:00")
	}
	d := &vendors.Device{Profile: *profile, Kind: kinds[0]}
	if *kind != "" {
		d.Kind, _ = city.ParseKind(*kind)
	}
	if !slices.Contains(kinds, d.Kind) {
		return usagef("-kind: %s is a %s, not a %s", *profile, about, *kind)
	}
	for word := range strings.FieldsSeq(*categories) {
		v, ok := vendors.ParseVehicle(word)
		if !ok {
			return usagef("-categories has %q: write SM, KR, KB, KTB or unknown", word)
		}
		d.Categories = append(d.Categories, v)
	}
	event := lorawan.Event{Kind: lorawan.Uplink, Port: uint8(*port), Payload: payload, At: received.UnixMilli()}
	if data, ok := codecs.Output(*profile, &event); ok {
		fmt.Fprintln(stderr, data)
	}
	return printReadings(stdout, &event, d, codecs.Read)
}

// profileOf is a profile of the codecs, or one that is built in.
func profileOf(codecs *sandbox.Codecs, name string) (about string, kinds []city.Kind, ok bool) {
	if about, kinds, ok = codecs.Find(name); ok {
		return about, kinds, true
	}
	found, ok := vendors.Find(name)
	return found.About, found.Kinds, ok
}

// codecs are those of the configuration; without one there are none.
func (c *configFlags) codecs() (*sandbox.Codecs, error) {
	if c.file == "" {
		return nil, nil //nolint:nilnil // a nil *Codecs has none
	}
	cfg, err := c.load()
	if err != nil {
		return nil, err
	}
	list, scripts, faults := config.Codecs(cfg)
	if len(faults) > 0 {
		return nil, faulty(faults)
	}
	codecs := sandbox.NewCodecs(list, scripts, sandbox.Options{Log: slog.New(slog.DiscardHandler), Processes: 1})
	codecs.Full = true
	return codecs, nil
}

func printReadings(stdout io.Writer, e *lorawan.Event, d *vendors.Device, read lorawan.Read) error {
	readings, err := lorawan.Readings(e, "test", d, read)
	if err != nil {
		if refused, ok := errors.AsType[*wire.RefusedError](err); ok {
			return fmt.Errorf("%s: %w", refused.Reason, err)
		}
		return err
	}
	for i := range readings {
		said := shown(&readings[i])
		if readings[i].At != e.At {
			said["at"] = time.UnixMilli(readings[i].At).UTC().Format(time.RFC3339Nano)
		}
		line, err := json.Marshal(said)
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
		put("count", !g.Total.OK && g.Count != 1, g.Count)
		put("total", g.Total.OK, g.Total)
	}
	if c := r.Count; c != nil {
		out["class"], out["occupied"] = c.Class.String(), c.Occupied
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
			if l.Occupancy.OK {
				lane["occupancy_pct"] = l.Occupancy
			}
			lanes = append(lanes, lane)
		}
		out["lanes"] = lanes
	}
	if h := r.Health; h != nil {
		put("battery_v", h.Battery.OK, h.Battery)
		put("battery_pct", h.BatteryPct.OK, h.BatteryPct)
		put("uptime_s", h.UptimeS.OK, h.UptimeS)
		put("firmware", h.Firmware != "", h.Firmware)
		put("errors", len(h.Errors) > 0, h.Errors)
	}
	return out
}
