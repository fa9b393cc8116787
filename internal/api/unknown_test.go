package api_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/onboard"
	"github.com/simpang-id/simpang/internal/token"
)

func TestUnknownDevices(t *testing.T) {
	st := newStage(t)
	st.Unknown.All = []onboard.Stranger{
		{
			Device: "70B3D57ED0000099", Sources: []string{"ttn"}, Reasons: []city.Reason{city.ReasonUnknownDevice}, Items: 3, First: 1_000, Last: 9_000,
			Network: &onboard.Network{EUI: "70B3D57ED0000099", Name: "Spot-9"},
			Samples: []onboard.Sample{{Recv: 9_000, Reason: city.ReasonUnknownDevice, Port: 1, Says: []onboard.Member{{Name: "payload_hex", Value: "95"}}}},
			Line:    onboard.Line{ID: "spot-9", EUI: "70B3D57ED0000099", Note: "heard over ttn, =1+1", Missing: []string{"kind", "site"}},
		},
		{Device: "zz", Sources: []string{"broker"}, Line: onboard.Line{ID: "zz", Kind: "spot", IntervalS: 60, Note: "heard over broker"}},
	}
	a := st.as(t, token.Dishub, "/v1/unknown-devices?limit=1")
	var list struct {
		Items []struct {
			Proposed struct {
				Line    string
				Missing []string
			}
		}
		Next string
	}
	require.NoError(t, json.Unmarshal([]byte(a.body), &list))
	require.Len(t, list.Items, 1)
	require.NotEmpty(t, list.Next)
	require.Equal(t, `spot-9,,,,,,,70B3D57ED0000099,,"heard over ttn, =1+1"`, list.Items[0].Proposed.Line)
	require.Equal(t, []string{"kind", "site"}, list.Items[0].Proposed.Missing)
	require.Contains(t, a.body, `"says":[{"name":"payload_hex","value":"95"}]`)

	a = st.as(t, token.Admin, "/v1/unknown-devices?format=csv&cursor="+list.Next)
	require.Equal(t, "id,kind,site,spot,segment,class,profile,eui,interval_s,note\r\nzz,spot,,,,,,,60,heard over broker\r\n", strings.TrimPrefix(a.body, "\ufeff"))
	require.Len(t, st.Unknown.Asked, 2)
	require.NotEmpty(t, st.Unknown.Asked[0])
}

// How often a meter is paid is no matter of dishub, listed or not.
func TestUnknownMetersAreHiddenFromDishub(t *testing.T) {
	st := newStage(t)
	st.Unknown.All = []onboard.Stranger{
		{
			Device: "till-9", Items: 3141, Line: onboard.Line{ID: "till-9", Kind: "meter", IntervalS: 77},
			Samples: []onboard.Sample{{Recv: 9_000, Kind: city.KindHealth, Says: []onboard.Member{{Name: "seq", Value: "4711"}}}},
		},
		{
			Device: "till-x", Items: 3141, Line: onboard.Line{ID: "till-x", IntervalS: 77},
			Samples: []onboard.Sample{{Recv: 9_000, Kind: city.KindReceipt, Says: []onboard.Member{{Name: "seq", Value: "4711"}}}},
		},
	}
	seen := st.as(t, token.Admin, "/v1/unknown-devices").body
	for _, part := range []string{"3141", "4711", "77", `"kind":"receipt"`} {
		require.Contains(t, seen, part)
	}
	seen = st.as(t, token.Dishub, "/v1/unknown-devices").body + st.as(t, token.Dishub, "/v1/unknown-devices?format=csv").body
	for _, part := range []string{"3141", "4711", "77", "receipt"} {
		require.NotContains(t, seen, part)
	}
	require.Contains(t, seen, `"items":null`)
	require.Contains(t, seen, "till-9,meter,")
}
