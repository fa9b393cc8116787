package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tarm/serial"

	"github.com/simpang-id/simpang/firmware-sim/send"
	"github.com/simpang-id/simpang/firmware-sim/sendtest"
	"github.com/simpang-id/simpang/firmware-sim/truth"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire/frames"
	"github.com/simpang-id/simpang/internal/wire/native"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// scene is a scenario file on the small city.
func scene(t *testing.T, text string) string {
	t.Helper()
	dir, err := filepath.Abs("testdata/city")
	require.NoError(t, err)
	return write(t, "scenario.yaml", "inventory: "+dir+"\n"+text)
}

const everyFault = `
start: 2026-03-02T06:00:00+07:00
duration: 3h
speed: 0
devices: {no_boot: 0.2, serial: ["meter-*"]}
faults: {lost: 0.02, doubled: 0.02, late: 0.02, corrupt: 0.02, conflict: 0.01, clock_wrong: 0.01, reboot: 2, dead: 0.05, jam: 2}
`

func lines(t *testing.T, path string) (list []truth.Line) {
	t.Helper()
	file, err := os.Open(path)
	require.NoError(t, err)
	require.NoError(t, truth.Read(file, func(l truth.Line) error {
		list = append(list, l)
		return nil
	}))
	require.NoError(t, file.Close())
	return list
}

// key is what a message says, whether from the truth file or from the broker.
func key(device string, r *city.Reading) string {
	bare := *r
	if r.Receipt != nil {
		receipt := *r.Receipt
		receipt.Plate = ""
		bare.Receipt = &receipt
	}
	return device + " " + string(native.Encode(&bare))
}

// What the truth file says was delivered is what a subscriber of the broker
// got, message by message, with meters over a pty and the rest over MQTT.
func TestRunTellsTheTruth(t *testing.T) {
	broker := sendtest.NewMosquitto(t, map[string]string{"bridge": "b", "spot-c01": "s", "reader": "r"})
	up := broker.Subscribe(t, "sg/v1/+/up", "reader", "r")
	credentials := write(t, "credentials", "spot-c01:s\nbridge:b\n")
	tty := filepath.Join(t.TempDir(), "tty")
	file := filepath.Join(t.TempDir(), "truth.jsonl")

	var stdout, stderr bytes.Buffer
	meters := map[string]int{}
	stop := answer(t, tty, meters)
	code := run(t.Context(), []string{
		"run", "-scenario", scene(t, everyFault), "-broker", broker.URL, "-credentials", credentials,
		"-serial", "pty:" + tty, "-truth", file, "-seed", "5",
	}, &stdout, &stderr)
	stop()
	require.Equal(t, exitDone, code, stderr.String())
	require.Contains(t, stdout.String(), "serial "+tty)

	want, refused := map[string]int{}, 0
	var metersWant int
	list := lines(t, file)
	for _, l := range list {
		onSerial := strings.HasPrefix(l.Device, "meter-")
		switch l.What {
		case truth.Delivered:
			d := native.Decode(l.Device, l.Reading)
			require.Len(t, d.Readings, 1, "%s", l.Reading)
			if onSerial {
				metersWant++
				require.Positive(t, meters[key(l.Device, &d.Readings[0])], "%s", l.Reading)
				continue
			}
			want[key(l.Device, &d.Readings[0])]++
		case truth.Refused:
			if !onSerial {
				refused++
			}
		case truth.Unacked:
			t.Fatal("nothing is given up", l)
		}
	}
	require.Positive(t, metersWant)
	require.Equal(t, truth.Run, list[0].What)
	require.Equal(t, uint64(5), list[0].Seed)
	end := list[len(list)-1]
	require.Equal(t, truth.End, end.What)
	require.Equal(t, uint64(len(want)+metersWant), end.Totals[truth.Delivered])
	sent := len(want) + refused
	for _, l := range list {
		if l.What == truth.Duplicate && !strings.HasPrefix(l.Device, "meter-") {
			sent++
		}
	}
	require.Eventually(t, func() bool { return len(up.Got()) >= sent }, 20*time.Second, 10*time.Millisecond)
	require.Len(t, up.Got(), sent)
	got := map[string]int{}
	for _, g := range up.Got() {
		device := strings.TrimSuffix(strings.TrimPrefix(g.Topic, "sg/v1/"), "/up")
		if d := native.Decode(device, []byte(g.Payload)); len(d.Readings) == 1 {
			got[key(device, &d.Readings[0])]++
		}
	}
	for k := range want {
		require.Positive(t, got[k], k)
	}
}

// answer acknowledges every sentence on a line once it is there, and counts
// what it said.
func answer(t *testing.T, path string, said map[string]int) (stop func()) {
	t.Helper()
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		var scanner frames.Scanner
		var port *serial.Port
		buf := make([]byte, 1024)
		for {
			select {
			case <-done:
				if port != nil {
					_ = port.Close()
				}
				return
			default:
			}
			if port == nil {
				port, _ = serial.OpenPort(&serial.Config{Name: path, Baud: send.Baud, ReadTimeout: 100 * time.Millisecond})
				continue
			}
			n, _ := port.Read(buf)
			scanner.Feed(buf[:n], func(line []byte, _ *city.Refusal) {
				d, device := frames.Decode(line)
				for i := range d.Readings {
					r := &d.Readings[i]
					said[key(device, r)]++
					_, _ = port.Write(frames.Ack(device, r.HasBoot, r.Boot, r.Seq))
				}
				for _, r := range d.Refused {
					if r.Seq.OK {
						_, _ = port.Write(frames.Ack(device, r.Boot.OK, uint64(r.Boot.V), uint64(r.Seq.V)))
					}
				}
			})
		}
	})
	return func() {
		close(done)
		wg.Wait()
	}
}

// The same seed writes the same bytes, whatever the connections do.
func TestRunIsRepeatable(t *testing.T) {
	broker := sendtest.NewMosquitto(t, nil)
	happened := func() string {
		file := filepath.Join(t.TempDir(), "truth.jsonl")
		var stderr bytes.Buffer
		require.Equal(t, exitDone, run(t.Context(), []string{"run", "-scenario", scene(t, everyFault), "-broker", broker.URL, "-truth", file}, &stderr, &stderr), stderr.String())
		var text strings.Builder
		for _, l := range lines(t, file) {
			switch l.What {
			case truth.Delivered, truth.Duplicate, truth.Refused, truth.Resent, truth.End: // in the order of acknowledgements
			default:
				line, err := json.Marshal(l)
				require.NoError(t, err)
				text.Write(line)
			}
		}
		return text.String()
	}
	one := happened()
	require.Greater(t, len(one), 10_000)
	require.Equal(t, one, happened())
}

func TestRunStopsCleanly(t *testing.T) {
	broker := sendtest.NewMosquitto(t, nil)
	up := broker.Subscribe(t, "sg/v1/+/up", "", "")
	file := filepath.Join(t.TempDir(), "truth.jsonl")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan int)
	name := scene(t, "history: 1h\n")
	var stderr bytes.Buffer
	go func() {
		done <- run(ctx, []string{"run", "-scenario", name, "-speed", "3600", "-broker", broker.URL, "-truth", file}, &stderr, &stderr)
	}()
	require.Eventually(t, func() bool { return len(up.Got()) > 100 }, 20*time.Second, 10*time.Millisecond)
	cancel()
	require.Equal(t, exitDone, <-done, stderr.String())
	list := lines(t, file)
	require.Equal(t, truth.End, list[len(list)-1].What)
}

func TestReplay(t *testing.T) {
	broker := sendtest.NewMosquitto(t, nil)
	up := broker.Subscribe(t, "sg/v1/+/up", "", "")
	csv := write(t, "counts.csv", "SystemCodeNumber,Capacity,Occupancy,LastUpdated\nX1,10,4,2016-10-04 07:59:42\nX1,10,4,2016-10-04 07:59:42\nX1,10,-2,2016-10-04 08:25:42\n")
	var stdout, stderr bytes.Buffer
	require.Equal(t, exitDone, run(t.Context(), []string{"replay", "-csv", csv, "-map", "../configs/replay/birmingham.yaml", "-broker", broker.URL}, &stdout, &stderr), stderr.String())
	require.Contains(t, stdout.String(), "delivered 1 duplicate 1 refused 1 ")
	require.Eventually(t, func() bool { return len(up.Got()) == 3 }, 30*time.Second, 10*time.Millisecond)
	require.Equal(t, "sg/v1/count-x1/up", up.Got()[0].Topic)
	require.JSONEq(t, `{"kind":"count","seq":1,"at":"2016-10-04T06:59:42Z","class":"car","occupied":4}`, up.Got()[0].Payload)

	require.Equal(t, exitDone, run(t.Context(), []string{"replay", "-csv", csv, "-map", "../configs/replay/birmingham.yaml", "-broker", broker.URL, "-shift", "now"}, &stdout, &stderr), stderr.String())
	require.Eventually(t, func() bool { return len(up.Got()) == 6 }, 30*time.Second, 10*time.Millisecond)
	d := native.Decode("count-x1", []byte(up.Got()[3].Payload))
	require.Len(t, d.Readings, 1)
	require.Less(t, time.Since(time.UnixMilli(d.Readings[0].At)), time.Hour)
}

func TestExitCodes(t *testing.T) {
	good := scene(t, "duration: 1m\nstart: 2026-03-02T06:00:00+07:00\nspeed: 0\n")
	mapping := "../configs/replay/birmingham.yaml"
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{nil, exitUsage, "usage:"},
		{[]string{"fly"}, exitUsage, "run or replay"},
		{[]string{"help"}, exitDone, ""},
		{[]string{"run"}, exitUsage, "-scenario is missing"},
		{[]string{"run", "-scenario", "none.yaml"}, exitUsage, "none.yaml"},
		{[]string{"run", "-scenario", good, "-speed", "-1"}, exitUsage, "speed"},
		{[]string{"run", "-scenario", good, "extra"}, exitUsage, "extra"},
		{[]string{"run", "-scenario", scene(t, "faults: {lost: 7}")}, exitUsage, "faults.lost is 7"},
		{[]string{"run", "-scenario", write(t, "s.yaml", "inventory: nowhere")}, exitUsage, "nowhere"},
		{[]string{"run", "-scenario", good, "-broker", "nonsense"}, exitUsage, "nonsense"},
		{[]string{"run", "-scenario", good, "-credentials", write(t, "c", "spot-c01:x\n")}, exitUsage, "has no secret"},
		{[]string{"run", "-scenario", good, "-credentials", write(t, "c", "nothing\n")}, exitUsage, "line 1"},
		{[]string{"run", "-scenario", good, "-serial", "/dev/none"}, exitFailed, "/dev/none"},
		{[]string{"replay", "-map", mapping}, exitUsage, "-csv and -map"},
		{[]string{"replay", "-csv", "none.csv", "-map", mapping}, exitUsage, "none.csv"},
		{[]string{"replay", "-csv", write(t, "x.csv", "a,b\n1,2\n"), "-map", mapping}, exitUsage, "no column SystemCodeNumber"},
		{[]string{"replay", "-csv", "x", "-map", "y", "-shift", "then"}, exitUsage, "-shift"},
	} {
		var stdout, stderr bytes.Buffer
		require.Equal(t, c.code, run(t.Context(), c.args, &stdout, &stderr), fmt.Sprint(c.args, stderr.String()))
		require.Contains(t, stderr.String(), c.says, c.args)
	}
}
