package inventory_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/inventory"
)

// TestTimeline asks which version holds for an event, as known at a position.
func TestTimeline(t *testing.T) {
	t.Parallel()
	read := func(name string) *inventory.Version {
		v, faults, err := inventory.Load("testdata/good/"+name, jakarta(t))
		require.NoError(t, err)
		require.Empty(t, faults)
		return v
	}
	first, second, third := read("site-alone"), read("spreadsheet"), read("two-ways")
	var line inventory.Timeline
	require.Nil(t, line.At(9, 9))
	require.Nil(t, line.Newest(9))
	d, v := line.Device(9, 9, "m")
	require.Nil(t, d)
	require.Nil(t, v)

	line.Accept(10, 1000, first)
	line.Accept(20, 2000, second)
	line.Accept(20, 2000, third) // a replay
	line.Accept(30, 3000, third)
	for _, c := range []struct {
		pos  uint64
		at   int64
		want *inventory.Version
	}{
		{9, 5000, nil},      // before any
		{10, 0, first},      // the first holds for all earlier events too
		{99, 1999, first},   //
		{99, 2000, second},  // from its acceptance on
		{19, 2500, first},   // not known yet at that position
		{29, 9999, second},  //
		{99, 9999, third},   //
		{30, 3000, third},   //
		{30, -1, first},     //
		{20, 2000, second},  //
		{99, 2999, second},  //
		{10, 99999, first},  //
		{25, 1000, first},   //
		{1 << 60, 0, first}, //
	} {
		require.Same(t, c.want, line.At(c.pos, c.at), "position %d, time %d", c.pos, c.at)
	}
	require.Same(t, second, line.Newest(29))

	// A device that its version lacks is looked up in the newest.
	d, v = line.Device(29, 1500, "m")
	require.Equal(t, inventory.DeviceMeter, d.Kind)
	require.Same(t, second, v)
	d, v = line.Device(99, 2500, "m")
	require.NotNil(t, d)
	require.Same(t, second, v)
	d, v = line.Device(99, 1500, "m")
	require.Nil(t, d)
	require.Same(t, third, v)
}

// A version that was accepted under a clock that ran ahead holds no longer
// than until the next one, once the clock was set right.
func TestTimelineOfAClockThatWasSetBack(t *testing.T) {
	t.Parallel()
	first, ahead, right := &inventory.Version{}, &inventory.Version{}, &inventory.Version{}
	var line inventory.Timeline
	line.Accept(10, 1000, first)
	line.Accept(20, 9000, ahead)
	line.Accept(30, 2000, right)
	require.Same(t, first, line.At(30, 1500))
	require.Same(t, right, line.At(30, 2000))
	require.Same(t, right, line.At(30, 9500))
	require.Same(t, first, line.At(29, 5000))
	require.Same(t, ahead, line.At(29, 9000))
}
