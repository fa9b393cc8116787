package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDeviceTestPrintsTheReading(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"-profile bosch-tps110 -hex 01FF -fport 2", `{"kind":"spot","occupied":true,"temperature_c":-1}` + "\n" + `{"kind":"health"}`},
		{"-profile nwave-nps405 -hex 95", `{"dwell_s":4440,"kind":"spot","occupied":true}`},
		{"-profile nwave-ncc405 -hex 06:AA -fport 1", `{"class":"unknown","direction":"in","kind":"gate","total":1706}` + "\n" + `{"kind":"health"}`},
		{
			"-profile parametric-tcr -hex a2140a03e832044c3433 -fport 14 -categories SM",
			`{"kind":"traffic","lanes":[{"counts":{"KB":0,"KR":0,"KTB":0,"SM":1000,"unknown":0},"direction":"forward","lane":1,"speed_kmh":50},` +
				`{"counts":{"KB":0,"KR":0,"KTB":0,"SM":1100,"unknown":0},"direction":"backward","lane":1,"speed_kmh":52}],"period_s":300}` + "\n" + `{"battery_v":5.1,"kind":"health"}`,
		},
	} {
		code, out, stderr := simpang(t, append([]string{"device", "test"}, strings.Fields(c.args)...)...)
		require.Equal(t, exitDone, code, stderr)
		require.Equal(t, c.want+"\n", out, c.args)
	}
}

func TestDeviceTestSaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"", exitUsage, "nwave-nps405"},
		{"-profile bosch", exitUsage, "nwave-nps405"},
		{"-profile bosch-tps110", exitUsage, "-hex"},
		{"-profile bosch-tps110 -hex xyz", exitUsage, "-hex"},
		{"-profile bosch-tps110 -hex 01 -fport 0", exitUsage, "-fport"},
		{"-profile bosch-tps110 -hex 01 -kind gate", exitUsage, "-kind"},
		{"-profile parametric-tcr -hex 01 -categories car", exitUsage, "-categories"},
		{"-profile bosch-tps110 -hex 01 -fport 1 more", exitUsage, "more"},
		{"-profile bosch-tps110 -hex 012a -fport 42", exitFailed, "bad_payload: bosch-tps110: port 42"},
	} {
		code, out, stderr := simpang(t, append([]string{"device", "test"}, strings.Fields(c.args)...)...)
		require.Equal(t, c.code, code, "%s: %s", c.args, stderr)
		require.Contains(t, stderr, c.says, c.args)
		require.Empty(t, out)
	}
}

func TestDeviceTestReadsByACodec(t *testing.T) {
	const config = "../../configs/example.yaml"
	code, out, stderr := simpang(t, "device", "test", "-config", config, "-profile", "example-nps405", "-hex", "95")
	lines := func(want ...string) {
		t.Helper()
		require.Equal(t, want, strings.Split(strings.TrimSpace(out), "\n"))
	}
	require.Equal(t, exitDone, code, stderr)
	lines(`{"dwell_s":4440,"kind":"spot","occupied":true}`) // as the decoder that is built in
	require.JSONEq(t, `{"data":{"occupied":true,"previous_state_s":4440}}`, stderr)

	code, out, stderr = simpang(t, "device", "-config", config, "test", "-profile", "example-radar", "-hex", "030e1069a4e49405012c000c02530000000000ff")
	require.Equal(t, exitDone, code, stderr)
	lines(`{"at":"2026-03-02T01:15:00Z","kind":"traffic","lanes":[{"counts":{"KB":2,"KR":12,"KTB":0,"SM":300,"unknown":0},"direction":"forward","lane":1,"speed_kmh":41.5},`+
		`{"counts":{"KB":0,"KR":0,"KTB":0,"SM":0,"unknown":0},"direction":"backward","lane":1}],"period_s":300}`, `{"battery_v":3.6,"errors":["tilted"],"kind":"health"}`)

	code, out, stderr = simpang(t, "device", "test", "-config", config, "-profile", "example-two-way", "-hex", "d00304", "-at", "2026-03-02T08:15:00+07:00")
	require.Equal(t, exitDone, code, stderr)
	lines(`{"class":"motorcycle","count":3,"direction":"in","kind":"gate"}`, `{"class":"motorcycle","count":4,"direction":"out","kind":"gate"}`, `{"battery_pct":80,"kind":"health"}`)

	for args, want := range map[string]struct {
		code int
		says string
	}{
		"-profile nothing -hex 01":                   {exitUsage, "example-nps405, example-ncc405, example-radar, example-two-way, bosch-tpl110"},
		"-profile example-nps405 -hex 01 -fport 99":  {exitFailed, "bad_payload: example-nps405: its codec refuses it (unknown port 99)"},
		"-profile example-radar -hex 01":             {exitFailed, "wrong_type: example-radar: readings[0].period_s: there is no minutes"},
		"-profile example-nps405 -hex 01 -at now":    {exitUsage, "-at must be like"},
		"-profile example-nps405 -hex 01 -kind gate": {exitUsage, "-kind: example-nps405 is a nwave NPS405 by a codec, not a gate"},
	} {
		code, out, stderr := simpang(t, append([]string{"device", "test", "-config", config}, strings.Fields(args)...)...)
		require.Equal(t, want.code, code, "%s: %s", args, stderr)
		require.Contains(t, stderr, want.says, args)
		require.Empty(t, out)
	}
}
