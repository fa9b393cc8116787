package api_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/token"
)

func TestRefusedLogins(t *testing.T) {
	st := newStage(t)
	known := st.Version.Devices[0].ID
	st.Refused = []source.TurnedAway{
		{User: "stranger", Source: "broker", Remote: "10.0.0.9", First: 1000, Last: 9000, Times: 3},
		{User: known, Source: "broker", Remote: "10.0.0.8", First: 2000, Last: 8000, Times: 1},
		{User: known + "-x", Known: true},
		{User: "spot-9", Known: true, Swapped: true},
		{},
	}
	var list struct {
		Items []struct {
			Times  int
			Device bool
			Next   string
		}
	}
	require.NoError(t, json.Unmarshal([]byte(st.as(t, token.Dishub, "/v1/refused-logins").body), &list))
	require.Len(t, list.Items, 5)
	for i, next := range []string{"not in devices.csv", "has no credentials", "another secret", "change them over", "gives no user"} {
		require.Contains(t, list.Items[i].Next, next)
	}
	require.True(t, list.Items[1].Device)
	require.Equal(t, 3, list.Items[0].Times)
	csv := strings.Split(strings.TrimSpace(st.as(t, token.Admin, "/v1/refused-logins?format=csv&limit=2").body), "\r\n")
	require.Len(t, csv, 3)
	require.Contains(t, csv[1], "stranger,broker,10.0.0.9,")
}
