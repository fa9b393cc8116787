package endtoend_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
)

// Places of the reference city that the test speaks for.
const (
	alunAlun = "BKS-ALUN-ALUN-1" // spots, on the street
	veteran  = "BKS-VETERAN-1"   // counters
	pasar    = "BKS-PASAR-BARU"  // gates
	mall     = "BKS-MAL-AYANI-B" // spots, a taxpayer's
	silent   = "BKS-GALAXY-1"    // nobody speaks for it
	flowing  = "ahmad-yani-2-s"
	empty    = "ahmad-yani-2-u" // measured, and no vehicle
	unheard  = "juanda-1-t"
)

// referenceCity runs the gateway on the reference city.
func referenceCity(t *testing.T) (*gateway, *inventory.Version, *publisher) {
	t.Helper()
	dir := filepath.Join(root(), "configs/bekasi/inventory")
	g := newGateway(t, dir, brokerSource)
	secret := g.bridgeSecret()
	g.start()
	return g, loadCity(t, dir), connect(t, g.mqtt, "bridge", secret)
}

// speak publishes what the paths shall tell: eleven minutes ago, and now.
func speak(t *testing.T, v *inventory.Version, p *publisher) {
	t.Helper()
	var cars, all int
	for _, d := range v.SiteDevices(alunAlun) {
		if d.Kind != inventory.DeviceSpot {
			continue
		}
		// Three of the cars' places were taken eleven minutes ago.
		taken := false
		if d.Class == city.Car {
			cars++
			taken = cars <= 3
		}
		all++
		p.up(d.ID, spotReading(1, 1, at(11*time.Minute), taken))
	}
	require.Equal(t, 70, all)
	require.Equal(t, 40, cars)
	for i, taken := range []bool{true, false} {
		p.up("spot-mal-ayani-b-c001", spotReading(1, i+1, at(time.Duration(8-4*i)*time.Minute), taken))
	}
	for class, n := range map[string]int{"car": 35, "motorcycle": 38} {
		p.up("count-veteran-1-"+class[:1]+"1", fmt.Sprintf(`{"kind":"count","boot":1,"seq":1,"at":%q,"class":%q,"occupied":%d}`, at(0), class, n))
	}
	p.up("gate-pasar-baru-c-in1", fmt.Sprintf(`{"kind":"gate","boot":1,"seq":1,"at":%q,"direction":"in","class":"car","count":2}`, at(0)))
	lanes := func(counts string) string {
		lanes := make([]string, 3)
		for i := range lanes {
			lanes[i] = fmt.Sprintf(`{"lane":%d,"counts":{%s}}`, i+1, counts)
		}
		return strings.Join(lanes, ",")
	}
	moving := strings.ReplaceAll(lanes(`"SM":6,"KR":8,"KB":1,"KTB":2`), "}}", `},"speed_kmh":40}`)
	for device, lanes := range map[string]string{"tc-" + flowing: moving, "tc-" + empty: lanes(`"SM":0,"KR":0,"KB":0,"KTB":0`)} {
		p.up(device, fmt.Sprintf(`{"kind":"traffic","boot":1,"seq":1,"at":%q,"period_s":60,"lanes":[%s]}`, wholeMinute(), lanes))
	}
	for i, c := range []struct {
		method string
		amount int
	}{{"cash", 2000}, {"qris", 5000}} {
		p.up("meter-alun-alun-1-1", fmt.Sprintf(`{"kind":"receipt","boot":1,"seq":%d,"at":%q,"receipt":"A-%d","amount":%d,"method":%q,"class":"car"}`,
			i+1, at(0), i+1, c.amount, c.method))
	}
}

// wholeMinute is the end of a minute just past that no quarter of an hour
// divides.
func wholeMinute() string {
	end := time.Now().Add(-time.Second)
	if edge := end.Truncate(15 * time.Minute); end.Sub(edge) < time.Minute {
		end = edge
	}
	return end.UTC().Format("2006-01-02T15:04:05.000Z")
}

// reply is an answer as it came.
type reply struct {
	*http.Response
	path string
	body []byte
}

// ask sends a request with headers ("name", "value", ...).
func (g *gateway) ask(t *testing.T, method, path, body string, headers ...string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+g.http+path, strings.NewReader(body))
	require.NoError(t, err)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return reply{resp, path, data}
}

// fetch is a GET without a token that must succeed.
func (g *gateway) fetch(t *testing.T, path string) reply {
	t.Helper()
	r := g.ask(t, http.MethodGet, path, "")
	require.Equal(t, http.StatusOK, r.StatusCode, "GET %s: %s", path, r.body)
	return r
}

// object is a JSON object.
type object map[string]any

// decode reads an answer, and looks at every time in it.
func (r reply) decode(t *testing.T) object {
	t.Helper()
	require.Equal(t, "application/json; charset=utf-8", r.Header.Get("Content-Type"), r.path)
	var o object
	require.NoError(t, json.Unmarshal(r.body, &o), "%s: %s", r.path, r.body)
	zoned(t, r.path, map[string]any(o))
	return o
}

var moment = regexp.MustCompile(`^\d{4}-\d\d-\d\d[T ]\d\d`)

// zoned requires that every time below v is RFC 3339 in the city's zone.
func zoned(t *testing.T, path string, v any) {
	t.Helper()
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			zoned(t, path+" "+name, member)
		}
	case []any:
		for _, item := range v {
			zoned(t, path, item)
		}
	case string:
		if moment.MatchString(v) {
			_, err := time.Parse(time.RFC3339, v)
			require.NoError(t, err, path)
			require.True(t, strings.HasSuffix(v, "+07:00"), "%s: %s", path, v)
		}
	}
}

// has requires members by name, beside others that may be there.
func (o object) has(t *testing.T, names string) object {
	t.Helper()
	for name := range strings.FieldsSeq(names) {
		require.Contains(t, o, name)
	}
	return o
}

// items returns a member that is a list of objects.
func (o object) items(t *testing.T, name string) []object {
	t.Helper()
	all, ok := o[name].([]any)
	require.True(t, ok, "%s is no list: %v", name, o[name])
	list := make([]object, len(all))
	for i := range all {
		list[i] = all[i].(map[string]any)
	}
	return list
}

// one returns the item of a list that has a value.
func one(t *testing.T, items []object, name, value string) object {
	t.Helper()
	for _, item := range items {
		if item[name] == value {
			return item
		}
	}
	require.Fail(t, "no item", "%s = %s", name, value)
	return nil
}

// shows requires values of members; numbers may be off by a thousandth.
func (o object) shows(t *testing.T, want object) {
	t.Helper()
	for name, v := range want {
		require.Contains(t, o, name)
		switch v := v.(type) {
		case int:
			require.InDelta(t, v, o[name], 0.001, name)
		case float64:
			require.InDelta(t, v, o[name], 0.001, name)
		default:
			require.Equal(t, v, o[name], name)
		}
	}
}

// nulls requires members that are there and null.
func (o object) nulls(t *testing.T, names string) {
	t.Helper()
	for name := range strings.FieldsSeq(names) {
		v, there := o[name]
		require.True(t, there, name)
		require.Nil(t, v, name)
	}
}
