package health

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"
)

// A run whose first reading was late begins with that one, and takes nothing
// from the run before it. One that is wholly late is a run of its own.
func TestARunBeginsWithItsFirstReading(t *testing.T) {
	d := &device{}
	for _, r := range []struct {
		at  int64
		seq uint64
	}{{100, 7}, {500, 4}, {490, 3}, {100, 7}, {300, 9}, {200, 8}} {
		d.begin(r.at, r.seq)
		d.lower(r.at, r.seq)
	}
	require.Equal(t, []start{{100, 1, 7}, {200, 3, 8}, {490, 2, 3}}, d.starts)
	for at, run := range map[int64]uint64{99: 0, 100: 1, 199: 1, 200: 3, 489: 3, 490: 2, 600: 2} {
		require.Equal(t, runKey{no: run}, d.runOf(false, 0, at))
	}
}

// What an older run is called does not change when others are forgotten, and no
// name is given twice.
func TestOldRunsBecomeOne(t *testing.T) {
	d := &device{}
	for i := range int64(maxStarts + 3) {
		d.begin(i*10+10, 1)
	}
	require.Len(t, d.starts, maxStarts)
	require.Equal(t, runKey{no: 3}, d.runOf(false, 0, 0))
	require.Equal(t, runKey{no: 4}, d.runOf(false, 0, 40))
	require.Equal(t, runKey{no: maxStarts + 3}, d.runOf(false, 0, 1<<40))
}

// TestADeviceOfAnOlderProgram reads the bytes of version 1.
func TestADeviceOfAnOlderProgram(t *testing.T) {
	data, err := hex.DecodeString("0114160a0000080000000401010100000001a0380000013102016100020a880e")
	require.NoError(t, err)
	d, err := decodeDevice(data)
	require.NoError(t, err)
	want := testDevice()
	want.starts[0].low, want.starts[1].low = unknownLow, unknownLow
	require.Equal(t, want, d)
}
