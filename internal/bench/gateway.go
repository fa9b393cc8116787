package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/config"
	"github.com/simpang-id/simpang/internal/source/broker"
)

// gateway is a whole Simpang as a process of its own.
type gateway struct {
	*process
	http, admin, mqtt string
	config            string
	secret            string            // of the bridge "load" at the built-in broker
	secrets           map[string]string // of devices that got one
	accepted          float64
}

// buildGateway builds the program once.
func buildGateway(ctx context.Context, dir string) (string, error) {
	bin := filepath.Join(dir, "simpang")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", bin, "./cmd/simpang")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	return bin, cmd.Run()
}

// The sources of a gateway, as YAML lines; {mqtt} stands for a free address.
const builtIn = "  - {id: devices, type: broker, format: native, listen: \"{mqtt}\"}\n"

func outside(addr string) string {
	return "  - {id: outside, type: mqtt, format: native, url: \"tcp://" + addr + "\", topics: [sg/v1/+/up]}\n"
}

const referenceCity = "configs/bekasi/inventory"

// layGateway writes a gateway's configuration into dir and does not start it.
func (b *bench) layGateway(ctx context.Context, dir, inventory, sources string) (*gateway, error) {
	g := &gateway{config: filepath.Join(dir, "simpang.yaml"), secrets: map[string]string{}}
	for _, addr := range []*string{&g.http, &g.admin, &g.mqtt} {
		var err error
		if *addr, err = freeAddress(ctx); err != nil {
			return nil, err
		}
	}
	inventory, err := filepath.Abs(inventory)
	if err != nil {
		return nil, err
	}
	text := fmt.Sprintf(`city: {id: bekasi, name: Kota Bekasi, timezone: Asia/Jakarta, region_code: "32.75"}
http: {listen: "%s", admin_listen: "%s", rate_limit: 0}
data_dir: data
inventory: %s
log: {level: warn}
sources:
%s`, g.http, g.admin, inventory, strings.ReplaceAll(sources, "{mqtt}", g.mqtt))
	if err := os.WriteFile(g.config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	if sources != builtIn {
		return g, nil
	}
	out, err := exec.CommandContext(ctx, b.bin, "device", "-config", g.config, "-filters", "sg/v1/+/up", "credentials", "load").Output()
	if err != nil {
		return nil, fmt.Errorf("credentials: %w", err)
	}
	_, secret, ok := strings.Cut(strings.TrimSpace(string(out)), ":")
	if !ok {
		return nil, errors.New("credentials: no device:secret line")
	}
	g.secret = secret
	return g, nil
}

// startGateway starts a gateway in dir and waits until its source is
// connected; devices get credentials of their own.
func (b *bench) startGateway(ctx context.Context, dir, inventory, sources string, devices ...string) (*gateway, error) {
	g, err := b.layGateway(ctx, dir, inventory, sources)
	if err != nil {
		return nil, err
	}
	if err := g.issue(devices); err != nil {
		return nil, err
	}
	if err := g.serve(ctx, b.bin); err != nil {
		return nil, err
	}
	const patience, every = 10 * time.Second, 10 * time.Millisecond
	err = waitFor(ctx, "the source is connected", patience, every, func() bool {
		var ready struct {
			Sources []struct{ Connected bool } `json:"sources"`
		}
		err := get(ctx, "http://"+g.http+"/readyz", func(r io.Reader) error { return json.NewDecoder(r).Decode(&ready) })
		return err == nil && len(ready.Sources) == 1 && ready.Sources[0].Connected
	})
	if err != nil {
		return nil, errors.Join(err, g.stop())
	}
	return g, nil
}

// serve starts the laid gateway and waits until it is ready.
func (g *gateway) serve(ctx context.Context, bin string) (err error) {
	g.accepted = 0
	if g.process, err = start(ctx, bin, "serve", "-config", g.config); err != nil {
		return err
	}
	const patience, every = 10 * time.Minute, 5 * time.Millisecond
	err = waitFor(ctx, "the gateway is ready", patience, every, func() bool {
		return g.ended() || get(ctx, "http://"+g.http+"/readyz", nil) == nil
	})
	if err == nil && g.ended() {
		err = errors.New("the gateway ended before it was ready")
	}
	if err != nil {
		return errors.Join(err, g.stop())
	}
	return nil
}

func (g *gateway) load() (*config.Config, error) {
	cfg, faults := config.Load(g.config, nil, nil)
	if len(faults) > 0 {
		return nil, fmt.Errorf("%s", faults[0])
	}
	return cfg, nil
}

func (g *gateway) issue(devices []string) error {
	if len(devices) == 0 {
		return nil
	}
	cfg, err := g.load()
	if err != nil {
		return err
	}
	issued, err := broker.Issue(cfg.Sources[0].CredentialsFile, devices...)
	for _, i := range issued {
		g.secrets[i.Device] = i.Secret
	}
	return err
}

// bridge logs in as the bridge that may publish for every device.
func (g *gateway) bridge(int) (user, password string) { return "load", g.secret }

// token makes an access token.
func (g *gateway) token(ctx context.Context, bin, role string) (string, error) {
	out, err := exec.CommandContext(ctx, bin, "token", "-config", g.config, "-role", role, "-name", "bench").Output()
	return strings.TrimSpace(string(out)), err
}

func get(ctx context.Context, url string, into func(io.Reader) error) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, resp.Status)
	}
	if into == nil {
		into = func(r io.Reader) error { _, err := io.Copy(io.Discard, r); return err }
	}
	return into(resp.Body)
}

// metrics adds up every series of some metrics, in one answer.
func (g *gateway) metrics(ctx context.Context, names ...string) ([]float64, error) {
	sums := make([]float64, len(names))
	err := get(ctx, "http://"+g.admin+"/metrics", func(r io.Reader) error {
		scan := bufio.NewScanner(r)
		for scan.Scan() {
			for i, name := range names {
				rest, ok := strings.CutPrefix(scan.Text(), name)
				if !ok || (rest[0] != ' ' && rest[0] != '{') {
					continue
				}
				v, err := strconv.ParseFloat(rest[strings.LastIndexByte(rest, ' ')+1:], 64)
				if err != nil {
					return err
				}
				sums[i] += v
			}
		}
		return scan.Err()
	})
	return sums, err
}

const (
	readingsMetric = "simpang_readings_total"
	lagMetric      = "simpang_follower_lag_entries"
)

// accept waits until n more readings are committed, tells when that was, and
// how much later every follower was level with the head.
func (g *gateway) accept(ctx context.Context, n int, patience time.Duration) (end time.Time, late time.Duration, err error) {
	g.accepted += float64(n)
	var now []float64
	const every = 10 * time.Millisecond
	err = waitFor(ctx, "readings committed", patience, every, func() bool {
		now, err = g.metrics(ctx, readingsMetric, lagMetric)
		return err == nil && now[0] >= g.accepted || g.ended()
	})
	end = time.Now()
	if err != nil || now == nil || now[0] < g.accepted {
		return end, 0, fmt.Errorf("of %.0f readings %v were committed: %w", g.accepted, now, errors.Join(err, g.fate()))
	}
	if now[0] > g.accepted {
		return end, 0, fmt.Errorf("%.0f readings were committed, sent were %.0f", now[0], g.accepted)
	}
	if now[1] == 0 {
		return end, 0, nil
	}
	err = waitFor(ctx, "followers level with the head", time.Minute, every, func() bool {
		now, err = g.metrics(ctx, lagMetric)
		return err == nil && now[0] == 0 || g.ended()
	})
	return end, time.Since(end), errors.Join(err, g.fate())
}

func (g *gateway) fate() error {
	if g.ended() {
		return errors.New("the gateway ended")
	}
	return nil
}

// devicesOf reads the ids of the reference city's devices of a kind.
func devicesOf(kind string) ([]string, error) {
	f, err := os.Open(filepath.Join(referenceCity, "devices.csv"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, row := range rows[1:] {
		if row[1] == kind {
			ids = append(ids, row[0])
		}
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("no %s in devices.csv: are its first columns id and kind?", kind)
	}
	return ids, nil
}
