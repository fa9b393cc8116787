package broker

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/source"
)

// Strangers can name any number of users, of any bytes: so many are remembered,
// those who tried last, and nothing that is no text.
func TestTheTurnedAwayAreBounded(t *testing.T) {
	var s Source
	for i := range int64(mostTurnedAway + 10) {
		s.turnedAway.note(source.TurnedAway{User: fmt.Sprint("u", i), Remote: "[::1]:5000"}, i)
	}
	s.turnedAway.note(source.TurnedAway{User: "u5\x00\xff\n" + strings.Repeat("x", 500)}, 5000)
	list := s.TurnedAway()
	require.Len(t, list, mostTurnedAway)
	require.Equal(t, "u5???"+strings.Repeat("x", 59)+"...", list[0].User)
	require.Equal(t, "u1009", list[1].User)
	require.Equal(t, "::1", list[1].Remote)
	require.Equal(t, "u11", list[len(list)-1].User)
}
