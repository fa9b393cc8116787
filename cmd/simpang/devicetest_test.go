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
