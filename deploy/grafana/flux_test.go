package grafana

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// points are two hours of a small city until now, with fields that the gateway
// writes (TestFieldsAreOurs).
func points(now time.Time) string {
	var b strings.Builder
	line := func(at time.Time, format string, args ...any) {
		fmt.Fprintf(&b, "%s %d\n", fmt.Sprintf(format, args...), at.UnixNano())
	}
	first := now.Add(-2 * time.Hour).Truncate(5 * time.Minute)
	for at, n := first, 0; at.Before(now); at, n = at.Add(5*time.Minute), n+1 {
		for i, segment := range []string{"ahmad-yani-1-s", "juanda-1-u"} {
			line(at, "traffic_5m,gateway=bekasi,city=bekasi,segment=%s flow_vph=%d,flow_smp_h=%d,speed_kmh=%d,dj=%.2f,coverage=1,flow_known=1i,speed_known=1i,dj_known=1i", segment, 600+10*n+i, 500+10*n+i, 40-i, 0.4+float64(i)/10)
			line(at, "traffic,gateway=bekasi,city=bekasi,segment=%s,device=radar-%d,lane=1,direction=forward period_s=300i,vehicles=60i,sm=40i,kr=15i,kb=4i,ktb=0i,unknown=1i,speed_kmh=%d,seq=%di,pos=%di", segment, i, 40-i, n, n)
		}
		for i, site := range []string{"BKS-ALUN-ALUN-1", "BKS-PASAR-BARU"} {
			for j, class := range []string{"car", "motorcycle"} {
				line(at, "parking_5m,gateway=bekasi,city=bekasi,kecamatan=Bekasi\\ Selatan,site=%s,class=%s free_avg=%d,occupied_avg=%d,free_min=%di,arrivals=%di,departures=2i,drift=0i,coverage=1,closed=0", site, class, 10+i, 20+j, 9, n%4)
			}
			line(at, "gate,gateway=bekasi,city=bekasi,kecamatan=Bekasi\\ Selatan,site=%s,device=gate-%d,class=car in=3i,seq=%di", site, i, n)
			line(at.Add(time.Second), "gate,gateway=bekasi,city=bekasi,kecamatan=Bekasi\\ Selatan,site=%s,device=gate-%d,class=car out=2i,seq=%di", site, i, n)
			line(at, "health,gateway=bekasi,city=bekasi,device=spot-%d battery_v=3.%d,rssi_dbm=-%d,seq=%di", i, 6-i, 90+i, n)
		}
	}
	return b.String()
}

const bucket = "simpang/autogen"

// asGrafana fills in what Grafana does, with the choice "All".
func asGrafana(query string) string {
	return strings.NewReplacer(
		"v.defaultBucket", `"`+bucket+`"`, "v.timeRangeStart", "-3h", "v.timeRangeStop", "now()", "v.windowPeriod", "10m",
		"${gateway:regex}", ".*", "${segment:regex}", ".*", "${site:regex}", ".*", "${class:regex}", ".*", "${kecamatan:regex}", ".*", "${device}", "",
	).Replace(query)
}

// field is a field of line protocol with the begin or the end of its value, which
// tells its type.
var field = regexp.MustCompile(`(?:^|,)([a-z_]+)=("|-?[0-9.]+i?)`)

// fields are measurement, field and type of lines of line protocol.
func fields(lines string) map[string]bool {
	all := map[string]bool{}
	for line := range strings.Lines(strings.ReplaceAll(lines, "\\ ", "_")) {
		parts := strings.Split(line, " ")
		measurement, _, _ := strings.Cut(parts[0], ",")
		for _, m := range field.FindAllStringSubmatch(parts[1], -1) {
			kind := "float"
			switch {
			case m[2] == `"`:
				kind = "text"
			case strings.HasSuffix(m[2], "i"):
				kind = "integer"
			}
			all[measurement+" "+m[1]+" "+kind] = true
		}
	}
	return all
}

// What the dashboards are tried with is what internal/influx writes: its own test
// holds the file to the program. So a query for a field that is written no more,
// or under another name, finds nothing in TestFlux.
func TestFieldsAreOurs(t *testing.T) {
	ours := fields(text(t, "../../internal/influx/testdata/written.line"))
	require.Greater(t, len(ours), 50)
	for f := range fields(points(time.Now())) {
		require.Contains(t, ours, f)
	}
}

func TestFlux(t *testing.T) {
	server, lines := startInfluxd(t), points(time.Now())
	require.NoError(t, server.Write(t.Context(), lines))
	t.Run("each query finds its points", func(t *testing.T) { eachFindsItsPoints(t, server) })
	t.Run("it tells the truth", func(t *testing.T) { tellsTheTruth(t, server, lines) })
}

func eachFindsItsPoints(t *testing.T, server influxd) {
	t.Helper()
	asked := 0
	for file, d := range dashboards(t) {
		for _, v := range d.Templating.List {
			if flux := v.flux(); flux != "" {
				require.NotEmpty(t, server.ask(t, asGrafana(flux)), "%s: variable %s\n%s", file, v.Name, flux)
				asked++
			}
		}
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				if q.Datasource.Type != "influxdb" {
					continue
				}
				flux := asGrafana(q.Query)
				require.NotContains(t, flux, "${", "a variable that the test does not know")
				rows := server.ask(t, flux)
				require.NotEmpty(t, rows, "%s: %s\n%s", file, p.Title, flux)
				if p.Type == "timeseries" {
					require.Contains(t, rows[0], "_time", p.Title)
					require.Contains(t, rows[0], "_value", p.Title)
				}
				asked++
			}
		}
	}
	require.Greater(t, asked, 25)
}

// tellsTheTruth compares figures of some panels with what was written.
func tellsTheTruth(t *testing.T, server influxd, lines string) {
	t.Helper()
	query := func(file, title string) string {
		for _, p := range dashboards(t)["dashboards/"+file].Panels {
			if strings.HasPrefix(p.Title, title) {
				return asGrafana(p.Targets[0].Query)
			}
		}
		t.Fatalf("%s has no panel %s", file, title)
		return ""
	}
	fullest := server.ask(t, query("parkir.json", "Dua puluh terpenuh"))
	require.Len(t, fullest, 4)
	require.Equal(t, "BKS-ALUN-ALUN-1", fullest[0]["site"])
	require.Equal(t, "motorcycle", fullest[0]["class"])
	require.InDelta(t, 21.0/31, number(t, fullest[0]["filled"]), 1e-9)

	saturated := server.ask(t, query("lalu-lintas.json", "Sepuluh terpadat"))
	require.Len(t, saturated, 2)
	require.Equal(t, "juanda-1-u", saturated[0]["segment"])
	require.InDelta(t, 0.5, number(t, saturated[0]["_value"]), 1e-9)

	gates := 0.0
	for _, row := range server.ask(t, query("parkir.json", "Masuk gerbang")) {
		gates += number(t, row["_value"])
	}
	written := strings.Count(lines, " in=3i")
	require.InDelta(t, 3*written, gates, 1e-9, "no vehicle is lost at the edges of hours")

	lowest := server.ask(t, query("perangkat.json", "Baterai terendah"))
	require.Equal(t, "spot-1", lowest[0]["device"])
	require.InDelta(t, 3.5, number(t, lowest[0]["_value"]), 1e-9)

	last := server.ask(t, query("perangkat.json", "Paling lama diam"))
	require.Len(t, last, 6, "each device once")
}

func number(t *testing.T, s string) (f float64) {
	t.Helper()
	_, err := fmt.Sscan(s, &f)
	require.NoError(t, err, s)
	return f
}
