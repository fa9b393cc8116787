package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

var apiSuite = suite{
	name: "api", load: "16 kept connections, one request after the other on each, 1.5 s a round; meanwhile 1,000 readings/s of the whole city come in, on both sides' rounds",
	rows: []line{
		{key: "sites", name: "API sites, live city: requests/s against a bare chi handler", bar: 0.7},
		{key: "one site", name: "API one site, live city: requests/s against a bare chi handler", bar: 0.7},
		{key: "segments", name: "API segments, live city: requests/s against a bare chi handler", bar: 0.7},
		{key: "nearby", name: "API nearby, live city: requests/s against a bare chi handler", bar: 0.4},
	},
	run: (*bench).api,
}

// hotPath is a path that many ask for.
type hotPath struct{ key, path string }

// hotPaths are those of the API rows; the site is the list's first.
func hotPaths(ctx context.Context, g *gateway) ([]hotPath, error) {
	var list struct {
		Items []struct{ ID string } `json:"items"`
	}
	err := get(ctx, "http://"+g.http+"/v1/parking/sites", func(r io.Reader) error { return json.NewDecoder(r).Decode(&list) })
	if err != nil {
		return nil, err
	}
	if len(list.Items) == 0 {
		return nil, errors.New("no site in the list")
	}
	return []hotPath{
		{"sites", "/v1/parking/sites"},
		{"one site", "/v1/parking/sites/" + list.Items[0].ID},
		{"segments", "/v1/traffic/segments"},
		{"nearby", "/v1/parking/nearby?lat=-6.2360&lon=106.9990&radius_m=2000"},
	}, nil
}

// api measures requests/s against a bare chi handler that writes the same
// bytes, while the city lives.
func (b *bench) api(ctx context.Context) (err error) {
	dir, err := b.scratch("api")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	const readings = 1000
	g, end, err := b.startLive(ctx, dir, readings)
	if g != nil {
		defer stopping(&err, g)
	}
	if err != nil {
		return err
	}
	paths, err := hotPaths(ctx, g)
	if err != nil {
		return err
	}
	bare, addr, err := b.startBare(ctx, dir, g, paths)
	if err != nil {
		return err
	}
	defer stopping(&err, bare)
	const connections = 16
	span := b.span(1500 * time.Millisecond)
	for _, p := range paths {
		var ours, theirs []float64
		err := b.each(func() error {
			rate, err := requestRate(ctx, addr, p.path, connections, span)
			theirs = append(theirs, rate)
			return err
		}, func() error {
			rate, err := requestRate(ctx, g.http, p.path, connections, span)
			ours = append(ours, rate)
			return err
		})
		if err != nil {
			return err
		}
		ratios := make([]float64, len(ours))
		for i := range ours {
			ratios[i] = ours[i] / theirs[i]
		}
		b.row(p.key, median(ratios), fmt.Sprintf("%.2f (%.0f/s)", median(ratios), median(ours)))
	}
	return end()
}

// startBare starts the bare handler with what the gateway answers now.
func (b *bench) startBare(ctx context.Context, dir string, g *gateway, paths []hotPath) (bare *process, addr string, err error) {
	bodies := map[string]string{}
	for _, p := range paths {
		err := get(ctx, "http://"+g.http+p.path, func(r io.Reader) error {
			data, err := io.ReadAll(r)
			path, _, _ := strings.Cut(p.path, "?")
			bodies[path] = string(data)
			return err
		})
		if err != nil {
			return nil, "", err
		}
	}
	data, err := json.Marshal(bodies)
	if err != nil {
		return nil, "", err
	}
	file := filepath.Join(dir, "bodies.json")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		return nil, "", err
	}
	if addr, err = freeAddress(ctx); err != nil {
		return nil, "", err
	}
	if bare, err = start(ctx, b.self, "-child", "bare-chi", "-addr", addr, "-file", file); err != nil {
		return nil, "", err
	}
	err = waitFor(ctx, "the bare handler listens", 10*time.Second, 20*time.Millisecond, dials(ctx, addr))
	if err != nil {
		stopping(&err, bare)
	}
	return bare, addr, err
}
