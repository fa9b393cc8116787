package grafana

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

type datasource struct{ Type, UID string }

type target struct {
	RefID       string
	Datasource  datasource
	Expr, Query string
}

type panel struct {
	ID         int
	Type       string
	Title      string
	Datasource datasource
	GridPos    struct{ X, Y, W, H int }
	Targets    []target
}

type variable struct {
	Name, Label, Type string
	Query             json.RawMessage
}

// flux is the text of a variable that is asked of InfluxDB.
func (v variable) flux() string {
	var q struct{ Query string }
	if v.Type != "query" || json.Unmarshal(v.Query, &q) != nil || !strings.Contains(q.Query, "tagValues") {
		return ""
	}
	return q.Query
}

type dashboard struct {
	ID            *int
	UID           string
	Title         string
	SchemaVersion int
	Editable      bool
	Panels        []panel
	Templating    struct{ List []variable }
}

func dashboards(t *testing.T) map[string]dashboard {
	t.Helper()
	files, err := filepath.Glob("dashboards/*.json")
	require.NoError(t, err)
	all := map[string]dashboard{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var d dashboard
		require.NoError(t, json.Unmarshal(text, &d), file)
		all[file] = d
	}
	require.Len(t, all, 4)
	return all
}

// used are the variables that a text names.
var used = regexp.MustCompile(`\$\{?([A-Za-z_][A-Za-z_0-9]*)`)

// TestDashboards: what Grafana's provisioning needs, no data source of one
// machine in it, and words that both readers know.
func TestDashboards(t *testing.T) {
	uids := map[string]bool{}
	for file, d := range dashboards(t) {
		require.Nil(t, d.ID, file)
		require.False(t, uids[d.UID], d.UID)
		uids[d.UID] = true
		require.Equal(t, "simpang-"+strings.TrimSuffix(filepath.Base(file), ".json"), d.UID)
		require.GreaterOrEqual(t, d.SchemaVersion, 39, file)
		require.False(t, d.Editable, "it is changed here, not on a server")
		require.Contains(t, d.Title, " / ", "Indonesian, then English")
		names := []string{"__rate_interval", "__all"}
		for _, v := range d.Templating.List {
			require.NotEmpty(t, v.Label, v.Name)
			names = append(names, v.Name)
		}
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, m := range used.FindAllStringSubmatch(string(text), -1) {
			require.Contains(t, names, m[1], "%s: the variable %s", file, m[0])
		}
		ids, taken := map[int]bool{}, map[[2]int]string{}
		for _, p := range d.Panels {
			require.False(t, ids[p.ID], "%s: %d", file, p.ID)
			ids[p.ID] = true
			require.Contains(t, p.Title, " / ", "%s: Indonesian, then English", file)
			require.LessOrEqual(t, p.GridPos.X+p.GridPos.W, 24, p.Title)
			for x := range p.GridPos.W {
				for y := range p.GridPos.H {
					at := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
					require.Empty(t, taken[at], "%s lies over %s", p.Title, taken[at])
					taken[at] = p.Title
				}
			}
			if p.Type == "row" {
				continue
			}
			require.NotEmpty(t, p.Targets, p.Title)
			for _, q := range p.Targets {
				require.Contains(t, []datasource{{"prometheus", "${prometheus}"}, {"influxdb", "${influx}"}}, q.Datasource, "%s: data sources are chosen, not written down", p.Title)
				require.Equal(t, p.Datasource, q.Datasource)
				require.NotEmpty(t, q.Expr+q.Query, p.Title)
			}
		}
	}
}

// TestProvisioning: both kinds of data sources are there, no secret is in the
// file, and the folder of dashboards is the one that compose.yaml mounts.
func TestProvisioning(t *testing.T) {
	var sources struct {
		APIVersion  int `yaml:"apiVersion"`
		Datasources []struct {
			Name, UID, Type, URL string
			SecureJSONData       map[string]string `yaml:"secureJsonData"`
		}
	}
	read(t, "provisioning/datasources/simpang.yaml", &sources)
	require.Equal(t, 1, sources.APIVersion)
	var types []string
	for _, s := range sources.Datasources {
		types = append(types, s.Type)
		require.True(t, strings.HasPrefix(s.URL, "$"), "%s: %s", s.Name, s.URL)
		for _, secret := range s.SecureJSONData {
			require.True(t, strings.HasPrefix(secret, "$__file{"), s.Name)
		}
	}
	slices.Sort(types)
	require.Equal(t, []string{"influxdb", "prometheus"}, types)

	var boards struct {
		Providers []struct {
			Type    string
			Options struct{ Path string }
		}
	}
	read(t, "provisioning/dashboards/simpang.yaml", &boards)
	require.Len(t, boards.Providers, 1)
	compose, err := os.ReadFile("../compose/compose.yaml")
	require.NoError(t, err)
	require.Contains(t, string(compose), "../grafana/dashboards:"+boards.Providers[0].Options.Path+":ro")
	for _, name := range used.FindAllString(text(t, "provisioning/datasources/simpang.yaml"), -1) {
		if name != "$__file" {
			require.Contains(t, string(compose), "\n      "+strings.TrimPrefix(name, "$")+": ", "compose.yaml sets it")
		}
	}
}

func text(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(data)
}

func read(t *testing.T, file string, into any) {
	t.Helper()
	require.NoError(t, yaml.Unmarshal([]byte(text(t, file)), into), file)
}
