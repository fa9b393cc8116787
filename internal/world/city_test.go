package world

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/city"
)

var zone = time.FixedZone("WIB", 7*60*60)

const (
	second = int64(1000)
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour
)

// site is a parking place; all of its places are for cars.
type site struct {
	id        string
	detection string // spots, gates, count
	reset     string // HH:MM, "" never
	levy      string
	operator  string
	kecamatan string
}

// deviceSpec is a device as devices.csv will have it.
type deviceSpec struct {
	id      string
	sends   city.Kind
	site    string
	segment string
	boots   bool // it counts its boots
	source  string
	from    int // the first version of the inventory that has it
	fixed   int // before this version the inventory has it as a spot sensor, by mistake; meters only
}

// edition is the content of one version of the inventory.
type edition struct {
	n        int
	capacity map[string]int // by site
	interval map[string]int // by device, s
	kinds    map[string]string
}

// plan is all that may ever be in the inventory.
type plan struct {
	sites   []site
	devices []deviceSpec
	roads   []road
}

type road struct{ id, opposite string }

func (p *plan) site(id string) *site {
	i := slices.IndexFunc(p.sites, func(s site) bool { return s.id == id })
	if i < 0 {
		return nil
	}
	return &p.sites[i]
}

func (p *plan) device(id string) *deviceSpec {
	i := slices.IndexFunc(p.devices, func(d deviceSpec) bool { return d.id == id })
	if i < 0 {
		return nil
	}
	return &p.devices[i]
}

// newPlan generates a small city.
func newPlan(d dice) *plan {
	p := &plan{roads: []road{{"r-1", ""}, {"r-2-t", "r-2-b"}, {"r-2-b", "r-2-t"}}}
	p.sites = []site{
		{id: "S-SPOT", detection: "spots", levy: "street", operator: "dishub", kecamatan: "Bekasi Timur"},
		{id: "S-GATE", detection: "gates", levy: "pbjt", operator: "op-01", kecamatan: "Bekasi Barat", reset: pick(d, "", "03:00", "00:00", "21:30")},
	}
	if d.chance(60) {
		p.sites = append(p.sites, site{id: "S-COUNT", detection: "count", levy: "special", operator: "dishub", kecamatan: "Bekasi Timur"})
	}
	if d.chance(30) {
		p.sites = append(p.sites, site{id: "S-OPEN", detection: "gates", levy: "pbjt", operator: "op-01", kecamatan: "Bekasi Utara"})
	}
	add := func(id string, kind city.Kind, site, segment string) {
		s := deviceSpec{id: id, sends: kind, site: site, segment: segment, boots: d.chance(65), source: "site"}
		if d.chance(30) {
			s.source = "lora"
		}
		if d.chance(15) {
			s.from = 1 + d.n(3)
		}
		if kind == city.KindReceipt && site == "S-SPOT" && d.chance(30) {
			s.fixed = s.from + 1 + d.n(2)
		}
		p.devices = append(p.devices, s)
	}
	for i := range p.sites {
		s := p.sites[i]
		low := strings.ToLower(s.id[2:])
		switch s.detection {
		case "spots":
			for n := range 2 + d.n(3) {
				add(fmt.Sprintf("%s-%d", low, n+1), city.KindSpot, s.id, "")
			}
		case "gates":
			add(low+"-in", city.KindGate, s.id, "")
			add(low+"-out", city.KindGate, s.id, "")
		case "count":
			add(low+"-1", city.KindCount, s.id, "")
			add(low+"-2", city.KindCount, s.id, "")
		}
		if i < 2 {
			add("meter-"+low, city.KindReceipt, s.id, "")
		}
	}
	add("tc-1", city.KindTraffic, "", "r-1")
	add("tc-2", city.KindTraffic, "", "r-2-t")
	return p
}

// newEdition is the first version of the inventory.
func (p *plan) newEdition(d dice) *edition {
	e := &edition{capacity: map[string]int{}, interval: map[string]int{}, kinds: map[string]string{}}
	for _, s := range p.sites {
		e.capacity[s.id] = 5 + d.n(10)
	}
	for _, x := range p.devices {
		e.interval[x.id] = pick(d, 60, 120, 300)
	}
	p.list(e)
	return e
}

// next is a changed version.
func (p *plan) next(d dice, e *edition) *edition {
	x := &edition{n: e.n + 1, capacity: maps.Clone(e.capacity), interval: maps.Clone(e.interval), kinds: map[string]string{}}
	if d.chance(50) {
		x.capacity[pickOf(d, p.sites).id] = 5 + d.n(10)
	}
	if d.chance(50) {
		x.interval[pickOf(d, p.devices).id] = pick(d, 60, 120, 300, 600)
	}
	p.list(x)
	return x
}

// list fills in which devices the edition has.
func (p *plan) list(e *edition) {
	for i := range p.devices {
		x := &p.devices[i]
		if x.from > e.n {
			continue
		}
		kind := x.sends.String()
		if x.sends == city.KindReceipt {
			kind = "meter"
		}
		if x.fixed > e.n {
			kind = "spot"
		}
		e.kinds[x.id] = kind
	}
}

// write writes an edition into a folder; faulty leaves a fault in it.
func (p *plan) write(dir string, e *edition, faulty bool) {
	must(os.MkdirAll(dir, 0o700), "make the inventory's folder")
	for name, data := range p.files(e, faulty) {
		must(os.WriteFile(filepath.Join(dir, name), data, 0o600), "write the inventory")
	}
}

func (p *plan) files(e *edition, faulty bool) map[string][]byte {
	var sites, roads []any
	for i, s := range p.sites {
		props := map[string]any{
			"id": s.id, "name": "Lot " + s.id, "kind": "off_street", "kecamatan": s.kecamatan, "levy": s.levy, "operator": s.operator,
			"detection": s.detection, "capacity": map[string]int{"car": e.capacity[s.id]},
		}
		if s.reset != "" {
			props["reset_at"] = s.reset
		}
		if s.levy == "pbjt" {
			props["nopd"] = "CONTOH-" + s.id
		}
		sites = append(sites, feature(props, "Point", []float64{107 + float64(i)/1000, -6.24}))
	}
	for i, r := range p.roads {
		props := map[string]any{
			"id": r.id, "name": "Jl. " + r.id, "lanes": 1, "side_friction": "S", "edge": "kerb", "edge_width_m": 1.0,
			"free_flow_kmh": 45, "road_type": "one_way", "lane_width_m": 3.5,
		}
		if r.opposite != "" {
			delete(props, "lane_width_m")
			props["road_type"], props["width_m"], props["split"], props["opposite"] = "2/2-TT", 7, "50-50", r.opposite
		}
		x := 107 + float64(i)/1000
		roads = append(roads, feature(props, "LineString", [][]float64{{x, -6.23}, {x, -6.24}}))
	}
	devices := "id,kind,site,spot,segment,class,interval_s\n"
	for i := range p.devices {
		x := &p.devices[i]
		kind := e.kinds[x.id]
		if kind == "" {
			continue
		}
		spot, class := "", ""
		if kind == "spot" {
			spot = x.id
		}
		if kind != "meter" && kind != "traffic" {
			class = "car"
		}
		devices += fmt.Sprintf("%s,%s,%s,%s,%s,%s,%d\n", x.id, kind, x.site, spot, x.segment, class, e.interval[x.id])
	}
	if faulty {
		devices += "broken,toaster,S-SPOT,,,,60\n"
	}
	return map[string][]byte{
		"sites.geojson":    collection(sites),
		"segments.geojson": collection(roads),
		"devices.csv":      []byte(devices),
		"operators.csv":    []byte("id,name,npwpd\ndishub,Dinas Perhubungan,\nop-01,Operator Contoh,P.2.0000001.01.01\n"),
		"attendants.csv":   []byte("id,site,collector,from,to\n" + attendant + ",S-SPOT," + collector + ",2026-09-01,\n"),
		"accounts.csv": []byte("account,name,levy,agency,rate,share,from\n4.1.01.19.04.0001,PBJT Parkir,pbjt,bapenda,0.1,,\n" +
			"4.1.02.01.04.0001,Retribusi tepi jalan,street,dishub,,,\n4.1.02.02.14.0001,Retribusi tempat khusus,special,dishub,,0.7,\n"),
		"agencies.yaml": []byte("agencies:\n" +
			"  - {id: dishub, name: Dinas Perhubungan, pic: Kepala Bidang, duties: [parkir], services: [parkir-penuh], contact: Kantor}\n" +
			"  - {id: bapenda, name: Badan Pendapatan Daerah, pic: Kepala Bidang, duties: [pajak], services: [setoran], contact: Kantor}\n"),
	}
}

func feature(props map[string]any, shape string, at any) map[string]any {
	return map[string]any{"type": "Feature", "properties": props, "geometry": map[string]any{"type": shape, "coordinates": at}}
}

func collection(features []any) []byte {
	data, err := json.Marshal(map[string]any{"type": "FeatureCollection", "features": features})
	must(err, "write GeoJSON")
	return data
}
