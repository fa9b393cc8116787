package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The town in which faults are planted. Of ten sites six are streets with a
// sensor a spot and a meter, two special places and two taxpayers', both with
// two gates and a meter. They speak over three sources, which is what the first
// letter of a site's id says; road counters have one of their own.
const (
	everyTen    = 10
	streets     = 6 // of ten sites
	restricted  = 5 // the last of them: no stay over six hours
	roadsSource = "roads"

	townCars, townCycles = 6, 3    // spots of a street
	gateCars, gateCycles = 40, 30  // places behind gates
	countEach            = 300     // seconds, of road counters
	perRoad              = 5       // sites a pair of segments
	leastRoads           = 15      // pairs
	slowKmh, roadKmh     = 33., 45 // free flow: on the slow ones parking is to be restricted first
	everyFourth          = 4       // pair of roads is slow
)

// townSite is one site.
type townSite struct {
	id, segment string
	street      bool
	restricted  bool
	pbjt        bool
	interval    int // seconds, of its sensors
}

func (s *townSite) source() string { return "net-" + strings.ToLower(s.id[:1]) }

func (s *townSite) meter() string { return "meter-" + strings.ToLower(s.id) }

func (s *townSite) spot(n int) string { return fmt.Sprintf("spot-%s-%02d", strings.ToLower(s.id), n) }

func (s *townSite) gate(n int) string { return fmt.Sprintf("gate-%s-%d", strings.ToLower(s.id), n) }

// townRoad is one direction of a road.
type townRoad struct {
	id, opposite string
	slow         bool
}

func (r *townRoad) counter() string { return "count-" + r.id }

// town is all of them.
type town struct {
	sites []townSite
	roads []townRoad
}

func newTown(n int) *town {
	t := &town{}
	for i := range max(leastRoads, n/perRoad) {
		a, b := fmt.Sprintf("jalan-%02d-u", i+1), fmt.Sprintf("jalan-%02d-s", i+1)
		slow := i%everyFourth == 0
		t.roads = append(t.roads, townRoad{a, b, slow}, townRoad{b, a, slow})
	}
	for i := range n {
		s := townSite{id: fmt.Sprintf("%c-%03d", 'A'+i%3, i+1), interval: seldom}
		if i/3%3 == 0 {
			s.interval = often
		}
		switch k := i % everyTen; {
		case k < streets:
			s.street, s.segment, s.restricted = true, t.roads[i%len(t.roads)].id, k == restricted
		case k >= everyTen-2:
			s.pbjt = true
		}
		t.sites = append(t.sites, s)
	}
	return t
}

// write writes the inventory: what the reference city has of tariffs, accounts,
// days and agencies, and sites, roads and closures of its own.
func (t *town) write(dir, closures string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := copyReference(dir, "accounts.csv", "tariffs.yaml", "agencies.yaml", "holidays.csv", "pkji2023.yaml"); err != nil {
		return err
	}
	var devices strings.Builder
	devices.WriteString("id,kind,site,spot,segment,class,profile,eui,interval_s,note\n")
	var sites, roads []any
	for i := range t.sites {
		s := &t.sites[i]
		sites = append(sites, s.feature(i))
		s.devices(&devices)
	}
	for i := range t.roads {
		r := &t.roads[i]
		roads = append(roads, r.feature(i))
		fmt.Fprintf(&devices, "%s,traffic,,,%s,,,,%d,\n", r.counter(), r.id, countEach)
	}
	files := map[string]string{
		"operators.csv": "id,name,npwpd\ndishub,Dinas Perhubungan,\nupt-parkir,UPTD Parkir,\nwp-1,Wajib Pajak 1,P.2.0000001.32.75\n",
		"devices.csv":   devices.String(), "closures.csv": closures,
		"attendants.csv": "id,site,collector,from,to\n", "targets.csv": "year,month,account,site,budget,target\n",
	}
	for name, features := range map[string][]any{"sites.geojson": sites, "segments.geojson": roads} {
		text, err := json.Marshal(map[string]any{"type": "FeatureCollection", "features": features})
		if err != nil {
			return err
		}
		files[name] = string(text)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// copyReference copies files of the reference city.
func copyReference(dir string, names ...string) error {
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(root, reference, name))
		if err != nil {
			return fmt.Errorf("%w: run it from the project's root", err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// root is where the project lies, for tests in a folder of it.
var root = "."

var kecamatan = []string{"Bekasi Timur", "Bekasi Barat", "Bekasi Utara", "Bekasi Selatan"}

func (s *townSite) feature(i int) any {
	properties := map[string]any{
		"id": s.id, "name": "Tempat " + s.id, "kind": "on_street", "address": "Jl. Contoh", "kecamatan": kecamatan[i%len(kecamatan)], "kelurahan": "Margahayu",
		"operator": "dishub", "levy": "street", "tariff": "street", "opening_hours": "Mo-Su 06:00-22:00", "detection": "spots", "segment": s.segment,
		"capacity": map[string]int{"car": townCars, "motorcycle": townCycles}, "accessible": 0, "payment": []string{"cash", "qris"}, "restrictions": []string{}, "official": true,
	}
	if s.restricted {
		properties["restrictions"] = []string{"paling lama 6 jam"}
	}
	if !s.street {
		properties["kind"], properties["detection"], properties["reset_at"], properties["tariff"], properties["opening_hours"] = "off_street", "gates", "03:30", "offstreet", "24/7"
		properties["capacity"] = map[string]int{"car": gateCars, "motorcycle": gateCycles}
		properties["operator"], properties["levy"] = "upt-parkir", "special"
		delete(properties, "segment")
	}
	if s.pbjt {
		properties["operator"], properties["levy"], properties["nopd"] = "wp-1", "pbjt", fmt.Sprintf("32.75.%03d", i)
	}
	const perRow = 10
	return feature("Point", properties, []float64{106.97 + float64(i%perRow)*0.004, -6.27 + float64(i/perRow)*0.004})
}

func (s *townSite) devices(to *strings.Builder) {
	if s.street {
		for n := range townCars + townCycles {
			class := "car"
			if n >= townCars {
				class = "motorcycle"
			}
			fmt.Fprintf(to, "%s,spot,%s,S%02d,,%s,,,%d,\n", s.spot(n+1), s.id, n+1, class, s.interval)
		}
	} else {
		for n := range 2 {
			fmt.Fprintf(to, "%s,gate,%s,,,,,,%d,\n", s.gate(n+1), s.id, s.interval)
		}
	}
	fmt.Fprintf(to, "%s,meter,%s,,,,,,3600,\n", s.meter(), s.id)
}

func (r *townRoad) feature(i int) any {
	kmh := roadKmh
	if r.slow {
		kmh = slowKmh
	}
	y := -6.3 + float64(i)*0.0005
	return feature("LineString", map[string]any{
		"id": r.id, "name": "Jl. " + r.id, "direction": "utara", "opposite": r.opposite, "road_type": "4/2-T", "lanes": 2, "lane_width_m": 3.0,
		"side_friction": "ST", "edge": "kerb", "edge_width_m": 0.5, "free_flow_kmh": kmh, "road_class": "lokal",
	}, [][]float64{{106.97, y}, {106.99, y}})
}

func feature(kind string, properties map[string]any, coordinates any) any {
	return map[string]any{"type": "Feature", "properties": properties, "geometry": map[string]any{"type": kind, "coordinates": coordinates}}
}

// sitesOn are the streets at a segment.
func (t *town) sitesOn(segment string) (ids []string) {
	for i := range t.sites {
		if t.sites[i].segment == segment {
			ids = append(ids, t.sites[i].id)
		}
	}
	return slices.Clip(ids)
}
