package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// grown is what is added to the reference city: sites of so many places for
// cars, a sensor each, the last one with what is left of the sensors.
type grown struct {
	levy, operator, tariff     string
	places, sensors, intervalS int
}

// grownCity writes an inventory: the reference city and more. It returns the
// sensors that were added.
func grownCity(dir string, more grown) (inventory string, spots []string, err error) {
	inventory = filepath.Join(dir, "inventory")
	if err := os.CopyFS(inventory, os.DirFS(referenceCity)); err != nil {
		return "", nil, err
	}
	file := filepath.Join(inventory, "sites.geojson")
	data, err := os.ReadFile(file)
	if err != nil {
		return "", nil, err
	}
	var sites map[string]any
	if err := json.Unmarshal(data, &sites); err != nil {
		return "", nil, err
	}
	features, ok := sites["features"].([]any)
	if !ok {
		return "", nil, errors.New("sites.geojson has no features")
	}
	file2 := filepath.Join(inventory, "devices.csv")
	devices, err := os.ReadFile(file2)
	if err != nil {
		return "", nil, err
	}
	devices = append(bytes.TrimRight(devices, "\n"), '\n')
	columns := bytes.Count(devices[:bytes.IndexByte(devices, '\n')], []byte(","))
	for n := 0; len(spots) < more.sensors; n++ {
		site := fmt.Sprintf("BIG-%03d", n)
		properties := map[string]any{
			"id": site, "name": "Gedung " + site, "kind": "off_street", "address": "Jl. Contoh", "kecamatan": "Bekasi Timur", "levy": more.levy,
			"detection": "spots", "capacity": map[string]int{"car": more.places}, "operator": more.operator,
		}
		if more.tariff != "" {
			properties["tariff"] = more.tariff
		}
		features = append(features, map[string]any{
			"type": "Feature", "geometry": map[string]any{"type": "Point", "coordinates": []float64{106.95 + float64(n%20)*0.004, -6.3 + float64(n/20)*0.004}},
			"properties": properties,
		})
		for k := 0; k < more.places && len(spots) < more.sensors; k++ {
			id := fmt.Sprintf("big-%03d-%03d", n, k)
			spots = append(spots, id)
			devices = fmt.Appendf(devices, "%s,spot,%s,P%03d,,car,,,%d%s\n", id, site, k, more.intervalS, bytes.Repeat([]byte(","), columns-8))
		}
	}
	sites["features"] = features
	if data, err = json.Marshal(sites); err != nil {
		return "", nil, err
	}
	return inventory, spots, errors.Join(os.WriteFile(file, data, 0o600), os.WriteFile(file2, devices, 0o600))
}
