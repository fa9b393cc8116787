package message_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/firmware-sim/message"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire/frames"
	"github.com/simpang-id/simpang/internal/wire/native"
)

var readings = []city.Reading{
	{Kind: city.KindSpot, Spot: &city.Spot{Occupied: true, DwellS: city.SomeInt(60)}},
	{Kind: city.KindGate, Gate: &city.Gate{Out: true, Class: city.Car, Count: 1}},
	{Kind: city.KindCount, Count: &city.Count{Class: city.Car, Occupied: 12}},
	{Kind: city.KindTraffic, Traffic: &city.Traffic{PeriodS: 60, Lanes: []city.Lane{{Lane: 1, HasCounts: true, KR: 4}}}},
	{Kind: city.KindReceipt, Receipt: &city.Receipt{Number: "A-1", Amount: 5000, Method: city.Cash, Class: city.Car}},
	{Kind: city.KindHealth, Health: &city.Health{UptimeS: city.SomeInt(9)}},
}

// Each way to break a payload is refused for the reason that the truth file
// will expect.
func TestBrokenIsRefusedAsExpected(t *testing.T) {
	for i := range readings {
		r := &readings[i]
		r.Device, r.HasBoot, r.Boot, r.Seq, r.At = "dev-1", true, 2, 7, 1772414100000
		for _, f := range []message.Format{message.Native, message.Frames} {
			m, err := message.New(r.At, r, f)
			if f == message.Frames && r.Kind == city.KindHealth {
				require.ErrorIs(t, err, frames.ErrCannotSay)
				continue
			}
			require.NoError(t, err)
			require.Equal(t, "dev-1:2:7", m.ID())
			for _, how := range message.Spoils(r.Kind, f) {
				b := m.Broken(how, f)
				require.Equal(t, message.Refused, b.Expect)
				d := native.Decode("dev-1", b.Payload)
				if f == message.Frames {
					d, _ = frames.Decode(b.Payload)
				}
				require.Empty(t, d.Readings, "%s", b.Payload)
				require.Len(t, d.Refused, 1)
				require.Equal(t, b.Reason, d.Refused[0].Reason, "%s", b.Payload)
			}
		}
	}
}
