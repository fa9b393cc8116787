package api_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/api"
	"github.com/simpang-id/simpang/internal/api/apitest"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/occupancy"
	"github.com/simpang-id/simpang/internal/token"
	"github.com/simpang-id/simpang/internal/traffic"
)

// stage is a server on the small city.
type stage struct {
	*apitest.City
	s *api.Server
}

func newStage(t *testing.T, change ...func(*api.Options)) *stage {
	t.Helper()
	c := apitest.New(t)
	c.Parking.Set(alun(2, 1, 1))
	c.Traffic.Set(veteran(30_000))
	o := c.Options()
	for _, f := range change {
		f(&o)
	}
	s, err := api.New(o)
	require.NoError(t, err)
	return &stage{c, s}
}

// render renders the board at the clock's time.
func (st *stage) render() { st.s.Render(st.Clock.Now()) }

func alun(free, occupied, unknown int) occupancy.SiteState {
	return occupancy.SiteState{
		ID: "s-alun", Quality: occupancy.QualityPartial, Confidence: 0.75, ObservedAt: apitest.Noon.UnixMilli() - 90_500,
		AccessibleCapacity: 1, AccessibleFree: city.SomeInt(1),
		Classes: []occupancy.ClassState{
			{
				Class: city.Car, Capacity: free + occupied + unknown, Free: city.SomeInt(int64(free)), Occupied: city.SomeInt(int64(occupied)),
				Unknown: unknown, State: occupancy.StateOpen, Quality: occupancy.QualityPartial,
			},
			{Class: city.Motorcycle, Capacity: 10, Unknown: 10, State: occupancy.StateUnknown, Quality: occupancy.QualityStale},
		},
	}
}

func veteran(speed int64) traffic.SegmentState {
	return traffic.SegmentState{
		ID: "veteran-s", Status: "open", FlowVPH: city.SomeMilli(1_200_000), SpeedKmh: city.SomeMilli(speed), DJ: city.SomeMilli(512),
		DJCounted: city.SomeMilli(512), Regime: "dense", LOS: "C", LOSPM96: "E", Trend: "steady", Quality: "live",
		ObservedAt: apitest.Noon.UnixMilli() - 60_000, Source: "PKJI2023-sekunder",
	}
}

type answer struct {
	*http.Response
	body string
}

func (st *stage) do(t *testing.T, method, path, secret, body string, headers ...string) answer {
	t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequestWithContext(t.Context(), method, path, reader)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if secret != "" {
		r.Header.Set("Authorization", "Bearer "+secret)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	st.s.ServeHTTP(w, r)
	res := w.Result()
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return answer{res, string(b)}
}

// get returns the answer to a GET that must be 200.
func (st *stage) get(t *testing.T, path string) answer {
	t.Helper()
	a := st.do(t, http.MethodGet, path, "", "")
	require.Equal(t, http.StatusOK, a.StatusCode, a.body)
	return a
}

// as returns the answer to a GET with a role's token that must be 200.
func (st *stage) as(t *testing.T, role token.Role, path string) answer {
	t.Helper()
	a := st.do(t, http.MethodGet, path, st.Secrets[role], "")
	require.Equal(t, http.StatusOK, a.StatusCode, a.body)
	return a
}

// problem checks that an answer is a problem of that status, and returns it.
func (a answer) problem(t *testing.T, status int) api.Problem {
	t.Helper()
	require.Equal(t, status, a.StatusCode, a.body)
	require.Equal(t, "application/problem+json", a.Header.Get("Content-Type"))
	require.Equal(t, "no-store", a.Header.Get("Cache-Control"))
	var p api.Problem
	require.NoError(t, json.Unmarshal([]byte(a.body), &p))
	require.Equal(t, status, p.Status)
	require.Equal(t, http.StatusText(status), p.Title)
	return p
}

func fields(p api.Problem) []string {
	var names []string
	for _, f := range p.Errors {
		names = append(names, f.Field)
	}
	return names
}
