package complaint

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/simpang-id/simpang/internal/inventory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var wib = time.FixedZone("WIB", 7*3600)

// at is a time of March 2026 in the city's zone: the 2nd is a Monday, the 3rd a
// holiday.
func at(day, hour int) int64 { return time.Date(2026, time.March, day, hour, 0, 0, 0, wib).UnixMilli() }

const testAgencies = `agencies:
  - {id: dishub, name: Dishub}
  - {id: bapenda, name: Bapenda}
  - {id: satpol-pp, name: Satpol PP}
services:
  - code: illegal_parking
    name: Parkir liar
    agency: dishub
    public: true
    places: [{kind: off_street, agency: satpol-pp}]
    attributes: [{code: class, datatype: singlevaluelist, required: true, values: [{key: car, name: Mobil}, {key: truck, name: Truk}]}, {code: plates, datatype: number}]
    escalate: [Kepala Bidang, Kepala Dinas]
  - {code: sensor, name: Sensor rusak, agency: dishub, public: true, verify: automatic, rules: [silent, stuck], escalate: [Kepala Bidang]}
  - {code: money, name: Catatan, agency: bapenda, confidential: true, rules: [leak], days: {verify: 1, follow_up: 2, close: 3}}
`

func testVersion(tb testing.TB) *inventory.Version {
	tb.Helper()
	v, faults := inventory.Parse(map[string][]byte{
		"sites.geojson": []byte(`{"type":"FeatureCollection","features":[
			{"type":"Feature","geometry":{"type":"Point","coordinates":[107.0,-6.2]},"properties":{"id":"s1","name":"Satu","kind":"on_street","levy":"street","kecamatan":"Bekasi Timur","address":"Jl. Satu","detection":"spots","capacity":{"car":10}}},
			{"type":"Feature","geometry":{"type":"Point","coordinates":[107.1,-6.3]},"properties":{"id":"s2","name":"Dua","kind":"off_street","levy":"pbjt","kecamatan":"Rawalumbu","address":"Jl. Dua","detection":"spots","capacity":{"car":10}}}]}`),
		"segments.geojson": []byte(`{"type":"FeatureCollection","features":[]}`),
		"devices.csv":      []byte("id,kind,site\nd1,meter,s1\nd2,meter,s1\nd3,meter,s2\n"),
		"holidays.csv":     []byte("date,until,kind,name,working\n2026-03-03,,national,Contoh,false\n"),
		"agencies.yaml":    []byte(testAgencies),
	}, wib)
	require.Empty(tb, faults)
	return v
}

// feed is a watch that tells what it is given.
type feed struct{ list []Incident }

func (f *feed) Changes(_ context.Context, after uint64, limit int) ([]Incident, uint64, error) {
	to := min(len(f.list), int(after)+limit)
	return f.list[after:to], uint64(to), nil
}

func (f *feed) add(list ...Incident) { f.list = append(f.list, list...) }

func open(tb testing.TB, path string, o Options) *Register {
	tb.Helper()
	if o.Inventory == nil {
		v := testVersion(tb)
		o.Inventory = func() *inventory.Version { return v }
	}
	o.Zone = wib
	r, err := Open(tb.Context(), path, o)
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = r.Close() })
	return r
}

func fresh(tb testing.TB, o Options) *Register {
	tb.Helper()
	return open(tb, filepath.Join(tb.TempDir(), "complaints.db"), o)
}

func report() New {
	return New{
		Source: SourceCitizen, Service: "illegal_parking", Lat: -6.2, Long: 107.0001, Located: true, Description: "Truk di trotoar",
		Attributes: []Attribute{{"class", []string{"truck"}}}, Private: Private{FirstName: "Budi", Phone: "0812"},
	}
}

func anomaly(id, rule, device string) Incident {
	return Incident{ID: id, Rule: rule, Severity: "medium", Subject: device, Device: device, OpenedAt: at(2, 8)}
}
