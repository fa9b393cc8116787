package inventory

// LevelFRules look for roads that stand.
type LevelFRules struct {
	Off        bool `yaml:"off"`
	Minutes    int  `yaml:"minutes"` // of level F without a break
	RecoverMin int  `yaml:"recover_min"`
}

// IncidentRules look for roads whose speed or flow is not what this hour of this
// kind of day shows.
type IncidentRules struct {
	Off        bool    `yaml:"off"`
	LearnDays  int     `yaml:"learn_days"` // before anything is said
	LeastMin   int     `yaml:"least_min"`  // that it lasts
	Share      float64 `yaml:"share"`      // of the usual by which it differs, in the mean of a quarter of an hour, 0..1
	RecoverMin int     `yaml:"recover_min"`
}

// PM96Rules are the triggers of PM 96/2015.
type PM96Rules struct {
	Off        bool    `yaml:"off"`
	Minutes    int     `yaml:"minutes"`     // that they hold on end
	ParkingVC  float64 `yaml:"parking_vc"`  // parking is restricted above this ratio of flow to capacity ...
	ParkingKmh float64 `yaml:"parking_kmh"` // ... and under this speed
	OneWayVC   float64 `yaml:"one_way_vc"`
	TidalVC    float64 `yaml:"tidal_vc"`
	TidalSplit float64 `yaml:"tidal_split"` // share of the stronger direction, 0..1
	SettleDays int     `yaml:"settle_days"`
	RecoverMin int     `yaml:"recover_min"`
}

func (r *Rules) roadBounds() []bound {
	n := func(v int) float64 { return float64(v) }
	const week = 10_080
	return []bound{
		{"traffic_level_f.minutes", n(r.LevelF.Minutes), 5, week},
		{"traffic_level_f.recover_min", n(r.LevelF.RecoverMin), 1, week},
		{"traffic_incident.learn_days", n(r.Incident.LearnDays), 2, 366},
		{"traffic_incident.least_min", n(r.Incident.LeastMin), 5, week},
		{"traffic_incident.share", r.Incident.Share, 0, 1},
		{"traffic_incident.recover_min", n(r.Incident.RecoverMin), 1, week},
		{"traffic_pm96.minutes", n(r.PM96.Minutes), 5, week},
		{"traffic_pm96.parking_vc", r.PM96.ParkingVC, 0.1, 2},
		{"traffic_pm96.parking_kmh", r.PM96.ParkingKmh, 1, 200},
		{"traffic_pm96.one_way_vc", r.PM96.OneWayVC, 0.1, 2},
		{"traffic_pm96.tidal_vc", r.PM96.TidalVC, 0.1, 2},
		{"traffic_pm96.tidal_split", r.PM96.TidalSplit, 0.5, 1},
		{"traffic_pm96.settle_days", n(r.PM96.SettleDays), 1, 366},
		{"traffic_pm96.recover_min", n(r.PM96.RecoverMin), 1, week},
	}
}
