package config

import (
	"reflect"
	"slices"
)

// Changed names the settings by which fresh differs from running: they hold
// only after a restart. The inventory's content is no setting.
func Changed(running, fresh *Config) []string {
	var names []string
	differs := func(name string, a, b any) {
		if !reflect.DeepEqual(a, b) {
			names = append(names, name)
		}
	}
	differs("city", withoutZone(running.City), withoutZone(fresh.City))
	differs("http", running.HTTP, fresh.HTTP)
	differs("data_dir", running.DataDir, fresh.DataDir)
	differs("inventory", running.Inventory, fresh.Inventory)
	differs("retention", running.Retention, fresh.Retention)
	differs("influx", running.Influx, fresh.Influx)
	differs("series", running.Series, fresh.Series)
	differs("complaints", running.Complaints, fresh.Complaints)
	differs("log", running.Log, fresh.Log)
	old := map[string]Source{}
	for _, s := range running.Sources {
		old[s.ID] = s
	}
	for _, s := range fresh.Sources {
		differs("sources."+s.ID, old[s.ID], s)
		delete(old, s.ID)
	}
	for id := range old {
		names = append(names, "sources."+id)
	}
	slices.Sort(names)
	return names
}

func withoutZone(c City) City {
	c.Zone = nil
	return c
}
