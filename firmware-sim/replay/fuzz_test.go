package replay_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/firmware-sim/message"
	"github.com/simpang-id/simpang/firmware-sim/replay"
)

// Whatever the CSV holds, messages come by time, each device counts from 1
// without a hole, and only a repeat has a number twice.
func FuzzOpen(f *testing.F) {
	f.Add(counts)
	f.Add("Garage;Places;Cars;When\nA;10;1;2014-05-22 09:00:00\n\"A\";10;-0;2014-05-22 09:00:00\n")
	m, err := replay.ParseMapping([]byte(countsMap))
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, csv string) {
		for _, format := range []message.Format{message.Native, message.Frames} {
			r, err := replay.Open(strings.NewReader(csv), m, format)
			if err != nil {
				continue
			}
			last := map[string]uint64{}
			at := int64(math.MinInt64)
			for _, msg := range all(r) {
				require.GreaterOrEqual(t, msg.At, at)
				at = msg.At
				if msg.Expect == message.Duplicate || msg.Seq <= last[msg.Device] {
					require.LessOrEqual(t, msg.Seq, last[msg.Device])
					require.NotEqual(t, message.Accepted, msg.Expect)
					continue
				}
				require.Equal(t, last[msg.Device]+1, msg.Seq)
				last[msg.Device] = msg.Seq
			}
		}
	})
}

// A mapping that is taken names columns, a kind and a zone.
func FuzzParseMapping(f *testing.F) {
	f.Add(countsMap)
	f.Add("{kind: traffic, device: {fixed: a}, time: {columns: [t], layout: unix}, lanes: [{lane: {fixed: 1}}]}")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := replay.ParseMapping([]byte(text))
		if err != nil {
			return
		}
		require.NotEmpty(t, m.Kind)
		require.NotEmpty(t, m.Time.Columns)
		require.NotEqual(t, m.Device.Fixed == "", m.Device.Column == "")
	})
}
