package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/watch"
)

// TestADeadBoxExcusesNoAccusation: complaints are judged by what is behind their
// anomaly, and a dead box is behind its silence alone.
func TestADeadBoxExcusesNoAccusation(t *testing.T) {
	v, faults := inventory.Parse(map[string][]byte{
		"sites.geojson": []byte(`{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"Point","coordinates":[107.0,-6.24]},
"properties":{"id":"s","name":"s","kind":"off_street","kecamatan":"Bekasi Timur","levy":"street","detection":"spots","capacity":{"car":1}}}]}`),
		"segments.geojson": []byte(`{"type":"FeatureCollection","features":[]}`), "devices.csv": []byte("id,kind,site,spot,interval_s\nbox,meter,s,,\nd,spot,s,1,300\n"),
	}, time.UTC)
	require.Empty(t, faults)
	began := time.Date(2026, 7, 6, 0, 0, 0, 0, time.UTC)
	r := &boxRun{played: &played{version: v}, dead: map[string]time.Time{"box": began}}
	byID := map[string]*incident{}
	for id, rule := range map[string]watch.Rule{"silent": watch.RuleMeterSilent, "leak": watch.RuleLeak, "stay": watch.RuleStayNoPayment, "phantom": watch.RulePaymentNoStay} {
		byID[id] = &incident{ID: id, Rule: rule, Subject: "s", OpenedAt: began.Add(time.Hour)}
	}
	byID["silent"].Subject = "box"
	count := func(ids ...string) [2]int {
		var all []filed
		for _, id := range ids {
			c := filed{Anomaly: id}
			if a := byID[id]; a != nil {
				c.Rule = string(a.Rule)
			}
			all = append(all, c)
		}
		wrong, accused := r.wrongly(all, byID)
		return [2]int{wrong, accused}
	}
	require.Equal(t, [2]int{0, 0}, count("silent"))
	require.Equal(t, [2]int{4, 2}, count("silent", "leak", "stay", "phantom", "of none"))
	r.dead["d"] = began
	require.Equal(t, [2]int{0, 0}, count("phantom"), "the sensor missed it")
}
