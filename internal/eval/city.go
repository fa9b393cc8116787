package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// What the simulated city has of the reference city's: tariffs, accounts, days.
const reference = "configs/bekasi/inventory"

// Of five places three are streets with a sensor a spot, one a special place and
// one a taxpayer's, both with gates. On each third place sensors speak each ten
// minutes, else each hour.
const (
	often, seldom = 600, 3600 // seconds
	everyThird    = 3

	carSpots, cycleSpots = 8, 4
	everyFive            = 5
	taxpayers            = 4
)

// place is one parking place of the simulated city.
type place struct {
	id, levy, operator string
	spots              bool
	interval           int // seconds, of the spots' sensors
}

func places(n int) []place {
	list := make([]place, n)
	for i := range list {
		p := place{id: fmt.Sprintf("P-%02d", i+1), levy: "street", operator: "dishub", spots: true, interval: seldom}
		if i%everyThird == 0 {
			p.interval = often
		}
		switch i % everyFive {
		case 3:
			p.levy, p.operator, p.spots = "special", "upt-parkir", false
		case 4:
			p.levy, p.operator, p.spots = "pbjt", fmt.Sprintf("wp-%d", i/everyFive%taxpayers+1), false
		}
		list[i] = p
	}
	return list
}

// writeCity writes an inventory folder.
func writeCity(dir string, list []place) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, name := range []string{"accounts.csv", "tariffs.yaml", "agencies.yaml", "holidays.csv", "pkji2023.yaml"} {
		text, err := os.ReadFile(filepath.Join(reference, name))
		if err != nil {
			return fmt.Errorf("%w: run it from the project's root", err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return err
		}
	}
	var operators, devices strings.Builder
	operators.WriteString("id,name,npwpd\ndishub,Dinas Perhubungan,\nupt-parkir,UPTD Parkir,\n")
	for n := range taxpayers {
		fmt.Fprintf(&operators, "wp-%d,Wajib Pajak %d,P.2.%07d.32.75\n", n+1, n+1, n+1)
	}
	devices.WriteString("id,kind,site,spot,segment,class,profile,eui,interval_s,note\n")
	features := make([]any, len(list))
	for i, p := range list {
		features[i] = p.feature(i)
		p.devices(&devices)
	}
	sites, err := json.Marshal(map[string]any{"type": "FeatureCollection", "features": features})
	if err != nil {
		return err
	}
	for name, text := range map[string]string{
		"sites.geojson": string(sites), "segments.geojson": `{"type":"FeatureCollection","features":[]}`,
		"operators.csv": operators.String(), "devices.csv": devices.String(),
		"attendants.csv": "id,site,collector,from,to\n", "closures.csv": "site,segment,from,to,rrule,except,reason,places_lost\n",
		"targets.csv": "year,month,account,site,budget,target\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (p place) feature(i int) any {
	properties := map[string]any{
		"id": p.id, "name": "Tempat " + p.id, "kind": "on_street", "address": "Jl. Contoh", "kecamatan": "Bekasi Timur", "kelurahan": "Margahayu",
		"operator": p.operator, "levy": p.levy, "tariff": "street", "opening_hours": "24/7", "detection": "spots",
		"capacity": map[string]int{"car": carSpots, "motorcycle": cycleSpots}, "accessible": 0,
		"payment": []string{"cash", "qris"}, "restrictions": []string{}, "official": true,
	}
	if !p.spots {
		properties["kind"], properties["detection"], properties["reset_at"], properties["tariff"] = "off_street", "gates", "03:30", "offstreet"
		properties["capacity"] = map[string]int{"car": 40, "motorcycle": 30}
	}
	if p.levy == "pbjt" {
		properties["nopd"] = fmt.Sprintf("32.75.%03d", i)
	}
	const perRow = 10
	return map[string]any{
		"type": "Feature", "properties": properties, "geometry": map[string]any{
			"type": "Point", "coordinates": []float64{106.97 + float64(i%perRow)*0.004, -6.27 + float64(i/perRow)*0.004},
		},
	}
}

func (p place) devices(to *strings.Builder) {
	id := strings.ToLower(p.id)
	if p.spots {
		for n := range carSpots + cycleSpots {
			class := "car"
			if n >= carSpots {
				class = "motorcycle"
			}
			fmt.Fprintf(to, "spot-%s-%02d,spot,%s,S%02d,,%s,,,%d,\n", id, n+1, p.id, n+1, class, p.interval)
		}
	} else {
		fmt.Fprintf(to, "gate-%s-1,gate,%s,,,,,,3600,\ngate-%s-2,gate,%s,,,,,,3600,\n", id, p.id, id, p.id)
	}
	fmt.Fprintf(to, "meter-%s,meter,%s,,,,,,3600,\n", id, p.id)
}
