package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/config"
	"github.com/simpang-id/simpang/internal/source/sandbox"
	"github.com/simpang-id/simpang/internal/strictyaml"
	"github.com/simpang-id/simpang/internal/wire/codec"
	"github.com/simpang-id/simpang/internal/wire/escpos"
	"github.com/simpang-id/simpang/internal/wire/native"
	"github.com/simpang-id/simpang/internal/wire/vendors"
)

var decodeSuite = suite{
	name: "decode", load: "one payload after the other, in this process; a vendor's codec in its own, asked over its pipes",
	rows: []line{
		{key: "vendors", name: "decode: the dearest payload of the built-in profiles, us", bar: 3, atMost: true},
		{key: "native", name: "decode: a native reading of six members, us", bar: 3, atMost: true},
		{key: "machine", name: "decode: 100 bytes of a till's print stream, through the state machine, us", bar: 3, atMost: true},
		{key: "template", name: "decode: a till's receipt by its template, us", atMost: true},
		{key: "codec", name: "decode: the dearest example of a vendor's codec, through its process, us", bar: 100, atMost: true},
	},
	run: (*bench).decoded,
}

// decoded measures what a payload costs. A time is that of a run of many, the
// figure the median of all rounds.
func (b *bench) decoded(ctx context.Context) error {
	if err := b.vendorsDecoded(ctx); err != nil {
		return err
	}
	reading := []byte(`{"kind":"spot","seq":4711,"boot":3,"at":"2026-03-02T08:15:00+07:00","occupied":true,"battery_v":3.61,"temperature_c":31.5}`)
	us, err := b.perCall(ctx, 200_000, 100, func() error {
		if d := native.Decode("spot-a017", reading); len(d.Readings) != 1 {
			return errors.New("native: it is no reading")
		}
		return nil
	})
	if err != nil {
		return err
	}
	b.row("native", us, fmt.Sprintf("%.2f (%d bytes)", us, len(reading)))
	if err := b.tillDecoded(ctx); err != nil {
		return err
	}
	return b.codecsDecoded(ctx)
}

// perCall is the median of what a call takes, us, over n calls a round, timed
// some together, so that what interrupts a few does not count.
func (b *bench) perCall(ctx context.Context, n, together int, call func() error) (us float64, err error) {
	var all []float64
	for range b.rounds {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		for range max(b.sized(n)/together, 10) {
			begin := time.Now()
			for range together {
				if err := call(); err != nil {
					return 0, err
				}
			}
			all = append(all, float64(time.Since(begin).Nanoseconds())/1000/float64(together))
		}
	}
	return median(all), nil
}

// vendorsDecoded measures every payload of the decoders' own cases.
func (b *bench) vendorsDecoded(ctx context.Context) error {
	text, err := os.ReadFile("internal/wire/vendors/testdata/cases.txt")
	if err != nil {
		return err
	}
	dearest := map[string]float64{} // of each profile
	for row := range strings.Lines(string(text)) {
		parts := strings.Split(strings.TrimSpace(row), " | ")
		if len(parts) != 4 || row[0] == '#' {
			continue
		}
		port, err := strconv.ParseUint(parts[1], 10, 8)
		if err != nil {
			return err
		}
		payload, err := hex.DecodeString(strings.ReplaceAll(parts[2], " ", ""))
		if err != nil {
			return err
		}
		found, _ := vendors.Find(parts[0])
		d := &vendors.Device{Profile: parts[0], Kind: found.Kinds[0], Lanes: 3, Categories: []vendors.Vehicle{vendors.SM, vendors.KR, vendors.KB, vendors.Unknown}}
		if _, err := vendors.Decode(d, uint8(port), payload); err != nil {
			continue // a case of what is refused
		}
		us, err := b.perCall(ctx, 20_000, 100, func() error {
			_, err := vendors.Decode(d, uint8(port), payload)
			return err
		})
		if err != nil {
			return err
		}
		dearest[parts[0]] = max(dearest[parts[0]], us)
	}
	if missing := len(vendors.Names()) - len(dearest); missing > 0 {
		return fmt.Errorf("%d profiles have no case", missing)
	}
	worst, figures := "", []string{}
	for _, name := range slices.Sorted(maps.Keys(dearest)) {
		figures = append(figures, fmt.Sprintf("%s %.2f", name, dearest[name]))
		if worst == "" || dearest[name] > dearest[worst] {
			worst = name
		}
	}
	b.row("vendors", dearest[worst], fmt.Sprintf("%.2f (%s)", dearest[worst], strings.Join(figures, ", ")))
	return nil
}

// tillDecoded measures a receipt with commands, from the stream on.
func (b *bench) tillDecoded(ctx context.Context) error {
	zone, err := time.LoadLocation("Asia/Jakarta")
	if err != nil {
		return err
	}
	t, faults := config.Templates(&config.Source{TemplatesFile: "configs/templates/parkir.yaml"}, zone)
	if len(faults) > 0 {
		return errors.New(faults[0].String())
	}
	stream := []byte("\x1b@\x1ba\x01\x1bE\x01PARKIR ALUN-ALUN\x1bE\x00\nJl. Veteran No. 1, Bekasi\n\x1ba\x00--------------------------------\nNo. Struk : A-004711\nNopol     : B 1234 XYZ\nMasuk     : 02/03/2026 08:15:00\nKeluar    : 02/03/2026 10:05:12\nJenis     : MOBIL\n\x1d!\x11TOTAL Rp 6.000\x1d!\x00\nTUNAI\nTerima kasih\n\n\n\x1dV\x00")
	us, err := b.perCall(ctx, 50_000, 20, func() error {
		if p := escpos.ReadPrint(stream, escpos.EndCut, true); p.Text == "" {
			return errors.New("escpos: there is no text")
		}
		return nil
	})
	if err != nil {
		return err
	}
	per := us * 100 / float64(len(stream))
	b.row("machine", per, fmt.Sprintf("%.2f (a receipt of %d bytes takes %.1f)", per, len(stream), us))
	p := escpos.ReadPrint(stream, escpos.EndCut, true)
	e := p.Seal("METER-0101", 1, 2, 1_772_414_100_000, "")
	us, err = b.perCall(ctx, 5_000, 1, func() error {
		if d := t.Read(&e, nil); len(d.Readings) != 1 {
			return fmt.Errorf("escpos: it is no receipt: %+v", d.Refused)
		}
		return nil
	})
	if err != nil {
		return err
	}
	b.row("template", us, fmt.Sprintf("%.0f (%d bytes of text)", us, len(p.Text)))
	return nil
}

// codecsDecoded measures the examples of vendors' codecs as the gateway runs
// them: a request over a pipe, a fresh runtime, an answer, the mapping.
func (b *bench) codecsDecoded(ctx context.Context) (err error) {
	const folder = "configs/codecs"
	text, err := os.ReadFile(filepath.Join(folder, "codecs.yaml"))
	if err != nil {
		return err
	}
	var file codec.File
	if _, faults := strictyaml.Decode(text, &file); len(faults) > 0 {
		return errors.New(faults[0].Message)
	}
	list, problems := codec.Load(&file)
	if len(problems) > 0 {
		return errors.New(problems[0].Message)
	}
	var scripts []string
	for _, one := range list {
		source, err := os.ReadFile(filepath.Join(folder, one.File))
		if err != nil {
			return err
		}
		scripts = append(scripts, string(source))
	}
	before, err := cpuWithChildren()
	if err != nil {
		return err
	}
	codecs := sandbox.NewCodecs(list, scripts, sandbox.Options{Command: []string{b.bin, sandbox.Command}, Log: slog.New(slog.DiscardHandler)})
	defer func() { err = errors.Join(err, codecs.Close()) }()
	payloads := map[string]codec.Call{
		"example-nps405":  {Port: 2, Payload: []byte{0xb5, 0xff, 0x20}},
		"example-ncc405":  {Port: 1, Payload: []byte{6, 0xaa}},
		"example-radar":   {Port: 1, Payload: []byte{3, 14, 16, 0x69, 0xa4, 0xe4, 0x94, 5, 1, 0x2c, 0, 12, 2, 83, 0, 0, 0, 0, 0, 255}},
		"example-two-way": {Port: 1, Payload: []byte{0xd0, 3, 4}},
	}
	worst, most, figures, calls := "", 0.0, []string{}, 0
	for _, name := range codecs.Names() {
		call := payloads[name]
		d := &vendors.Device{Profile: name, Class: city.Car, PeriodS: 300}
		us, err := b.perCall(ctx, 5_000, 1, func() error {
			calls++
			_, err := codecs.Decode("device", d, &call)
			return err
		})
		if err != nil {
			return err
		}
		figures = append(figures, fmt.Sprintf("%s %.0f", strings.TrimPrefix(name, "example-"), us))
		if us > most {
			worst, most = name, us
		}
	}
	if err := codecs.Close(); err != nil { // its processes' time counts once they have ended
		return err
	}
	after, err := cpuWithChildren()
	if err != nil {
		return err
	}
	cpu := float64((after - before).Microseconds()) / float64(calls)
	b.row("codec", most, fmt.Sprintf("%.0f (%s: %s; CPU of both processes %.0f a call)", most, strings.TrimPrefix(worst, "example-"), strings.Join(figures, ", "), cpu))
	return nil
}

// cpuWithChildren is the processor's time that this process has had, and those
// of its children that have ended.
func cpuWithChildren() (total time.Duration, err error) {
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var u unix.Rusage
		if err := unix.Getrusage(who, &u); err != nil {
			return 0, err
		}
		total += time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	return total, nil
}
