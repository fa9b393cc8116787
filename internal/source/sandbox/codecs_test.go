package sandbox_test

import (
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/source/sandbox"
	"github.com/simpang-id/simpang/internal/wire"
	"github.com/simpang-id/simpang/internal/wire/codec"
	"github.com/simpang-id/simpang/internal/wire/lorawan"
	"github.com/simpang-id/simpang/internal/wire/vendors"
)

// place is a codec of a parking place.
func place(profile, script string) (codec.VendorFile, string) {
	return codec.VendorFile{Profile: profile, File: profile + ".js", TimeLimit: "100ms", Readings: []codec.ReadingFile{{Kind: "spot", Occupied: "data.occupied"}}}, script
}

const occupied = `var n = 0; function decodeUplink(input) { n++; return {data: {occupied: input.bytes[0] === n}} }`

// newCodecs makes codecs by name and script.
func newCodecs(t *testing.T, o sandbox.Options, pairs ...string) *sandbox.Codecs {
	t.Helper()
	var file codec.File
	var scripts []string
	for i := 0; i < len(pairs); i += 2 {
		one, script := place(pairs[i], pairs[i+1])
		file.Codecs, scripts = append(file.Codecs, one), append(scripts, script)
	}
	list, problems := codec.Load(&file)
	require.Empty(t, problems)
	o.Log = slog.New(slog.DiscardHandler)
	c := sandbox.NewCodecs(list, scripts, o)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

func decode(c *sandbox.Codecs, profile, device string) (vendors.Said, error) {
	return c.Read(device, &vendors.Device{Profile: profile}, &lorawan.Event{Port: 1, Payload: []byte{1}, At: 1_772_414_100_000})
}

func reasonOf(t *testing.T, err error) city.Reason {
	t.Helper()
	var refused *wire.RefusedError
	require.ErrorAs(t, err, &refused)
	return refused.Reason
}

func TestRefusalsNameWhatIsWrong(t *testing.T) {
	c := newCodecs(t, sandbox.Options{},
		"good", occupied,
		"throws", "function decodeUplink(input) {\n  throw new Error('bad port ' + input.fPort);\n}",
		"typo", "function decodeUplink(input) {\n  return input.data.x.y;\n}",
		"refuses", "function decodeUplink(input) { return {errors: ['no such port: B 1234 XYZ ' + input.fPort]} }",
		"shape", "function decodeUplink(input) { return [1] }",
		"big", "function decodeUplink(input) { return {data: {occupied: 'x'.repeat(100000)}} }",
		"lies", "function decodeUplink(input) { return {data: {occupied: 'yes'}} }",
		"lacks", "function decodeUplink(input) { return {data: {}} }",
		"loops", "function decodeUplink(input) { for (;;); }",
	)
	said, err := decode(c, "good", "a")
	require.NoError(t, err)
	require.Equal(t, vendors.Said{Spot: &city.Spot{Occupied: true}}, said)
	said, err = decode(c, "bosch-tps110", "a")
	require.NoError(t, err)
	require.Equal(t, vendors.Said{Spot: &city.Spot{Occupied: true}}, said, "what is built in stays so")
	for profile, want := range map[string]struct {
		reason city.Reason
		detail string
	}{
		"throws":  {city.ReasonCodecFailed, "throws: its codec throws.js throws at line 2 (Error: bad port ...): mend it"},
		"typo":    {city.ReasonCodecFailed, "typo: its codec typo.js throws at line 2 (TypeError): mend it"},
		"refuses": {city.ReasonBadPayload, "refuses: its codec refuses it (no such port: B 1234 XYZ ...): check the profile"},
		"shape":   {city.ReasonCodecFailed, "shape: its codec shape.js returns no output of TS013 (decodeUplink must return an object"},
		"big":     {city.ReasonCodecFailed, "big: its codec big.js returns too much"},
		"lies":    {city.ReasonWrongType, "lies: readings[0].occupied is a text, and it must be true or false"},
		"lacks":   {city.ReasonWrongType, "lacks: readings[0].occupied: there is no occupied: write ?. before it"},
		"loops":   {city.ReasonCodecSlow, "loops: its codec loops.js takes longer than 100ms"},
		"none":    {city.ReasonNoProfile, `there is no profile "none"`},
	} {
		said, err := decode(c, profile, "a-"+profile)
		require.Equal(t, want.reason, reasonOf(t, err), "%s: %v", profile, err)
		require.Contains(t, err.Error(), want.detail)
		require.Empty(t, said)
	}
	c.Full = true
	_, err = decode(c, "throws", "a")
	require.ErrorContains(t, err, "(Error: bad port 1)")
}

func TestALoopHarmsItsDeviceAlone(t *testing.T) {
	reg := prometheus.NewRegistry()
	var mu sync.Mutex
	now := time.Unix(1_772_414_100, 0)
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	c := newCodecs(t, sandbox.Options{Now: clock, Metrics: sandbox.NewMetrics(reg)},
		"good", occupied, "odd", "function decodeUplink(input) { for (; input.fPort !== 1 || input.bytes[0] !== 1;); return {data: {occupied: true}} }", "loops", "function decodeUplink(input) { for (;;); }")
	_, err := decode(c, "loops", "a")
	require.Equal(t, city.ReasonCodecSlow, reasonOf(t, err))
	for range 5 {
		_, err = decode(c, "loops", "a")
		require.Equal(t, city.ReasonCodecRests, reasonOf(t, err))
		require.ErrorContains(t, err, "rests until 2026-03-02T01:15:01Z and the others go on: mend loops.js")
	}
	devices, profiles := c.Resting()
	require.Equal(t, []int{1, 0}, []int{devices, profiles})
	_, err = decode(c, "loops", "b")
	require.Equal(t, city.ReasonCodecSlow, reasonOf(t, err), "another device has its own try")
	_, err = decode(c, "odd", "c")
	require.NoError(t, err)
	_, err = decode(c, "good", "d")
	require.NoError(t, err)
	mu.Lock()
	now = now.Add(sandbox.FirstRest)
	mu.Unlock()
	_, err = decode(c, "loops", "a")
	require.Equal(t, city.ReasonCodecSlow, reasonOf(t, err), "it is tried again")

	calls, err := testutil.GatherAndCount(reg, "simpang_codec_payloads_total")
	require.NoError(t, err)
	require.Equal(t, 5, calls, "good, odd and loops ok (0), loops slow, loops rested")
}

func TestAGoodCallThatIsDearIsCharged(t *testing.T) {
	var file codec.File
	var scripts []string
	for name, script := range map[string]string{"dear": `function decodeUplink() { for (var i = 0; i < 5e5; i++); return {data: {occupied: true}} }`, "cheap": occupied} {
		one, script := place(name, script)
		one.TimeLimit = "1s"
		file.Codecs, scripts = append(file.Codecs, one), append(scripts, script)
	}
	list, problems := codec.Load(&file)
	require.Empty(t, problems)
	c := sandbox.NewCodecs(list, scripts, sandbox.Options{Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	for range 3 {
		for _, profile := range []string{"dear", "cheap"} {
			_, err := decode(c, profile, "a")
			require.NoError(t, err)
		}
	}
	require.Positive(t, c.Spent("dear"))
	require.Less(t, c.Spent("cheap"), c.Spent("dear"))
}

// What is not the codec's doing is not laid at its door.
func TestAProcessThatSomeoneEndsIsReplaced(t *testing.T) {
	c := newCodecs(t, sandbox.Options{}, "good", occupied)
	for range 3 {
		_, err := decode(c, "good", "a")
		require.NoError(t, err)
		c.KillAll()
	}
	broken := newCodecs(t, sandbox.Options{Command: []string{"/no/such/program"}}, "good", occupied)
	_, err := decode(broken, "good", "a")
	require.Equal(t, city.ReasonCodecFailed, reasonOf(t, err))
	require.ErrorContains(t, err, "its codec was not asked (no process could be started")
	devices, _ := broken.Resting()
	require.Zero(t, devices)
	_, err = broken.Check(0)
	require.ErrorIs(t, err, sandbox.ErrUnserved)
	other := newCodecs(t, sandbox.Options{Command: []string{"/bin/true"}}, "good", occupied)
	_, err = decode(other, "good", "a")
	require.Equal(t, city.ReasonCodecFailed, reasonOf(t, err))
	devices, _ = other.Resting()
	require.Equal(t, 1, devices, "two processes a payload are no good call")
	garbled := newCodecs(t, sandbox.Options{Command: []string{"/bin/cat"}}, "good", occupied)
	_, err = decode(garbled, "good", "a")
	require.Equal(t, city.ReasonCodecFailed, reasonOf(t, err))
}

func TestManyAtOnce(t *testing.T) {
	c := newCodecs(t, sandbox.Options{}, "good", occupied, "loops", "function decodeUplink(input) { for (;;); }")
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for n := range 50 {
				if i == 0 && n%25 == 0 {
					_, err := decode(c, "loops", "l")
					require.Error(t, err)
				}
				said, err := decode(c, "good", "a")
				require.NoError(t, err)
				require.True(t, said.Spot.Occupied, "a script's own state is new in each call")
			}
		})
	}
	all.Wait()
}

func TestCheckSaysWhatToDo(t *testing.T) {
	c := newCodecs(t, sandbox.Options{}, "good", occupied,
		"syntax", "function decodeUplink() {\n return {data: }\n}", "none", "function Decoder() {}", "node", "var fs =\n require('fs')", "loops", "for (;;);")
	for i, want := range []struct {
		line int
		says string
	}{{0, ""}, {2, "not JavaScript (Unexpected token }): mend"}, {0, "has no function decodeUplink"}, {2, "throws when it is loaded (ReferenceError: require is not defined)"}, {0, "takes longer than 100ms when it is loaded"}} {
		line, err := c.Check(i)
		require.Equal(t, want.line, line)
		if want.says == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, want.says)
	}
}
