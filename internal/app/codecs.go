package app

import (
	"context"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/simpang-id/simpang/internal/config"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/source/sandbox"
	"github.com/simpang-id/simpang/internal/wire/lorawan"
)

// openCodecs reads vendors' codecs and tries each. A fault stops the start; where
// no process can be started for them, the rest of the gateway goes on.
func (g *gateway) openCodecs(ctx context.Context, undo *stack) error {
	list, scripts, faults := config.Codecs(g.cfg)
	if len(faults) > 0 {
		return &FaultsError{Faults: faults}
	}
	g.codecsSum = config.CodecsSum(g.cfg, scripts)
	metrics := sandbox.NewMetrics(g.registry)
	f := promauto.With(g.registry)
	for what, count := range map[string]func() int{
		"device":  func() int { devices, _ := g.codecs.Resting(); return devices },
		"profile": func() int { _, profiles := g.codecs.Resting(); return profiles },
	} {
		f.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "simpang_codec_resting", Help: "Devices, and whole profiles, whose codec is not asked for a while because it cost too much.", ConstLabels: prometheus.Labels{"what": what},
		}, func() float64 { return float64(count()) })
	}
	if len(list) == 0 {
		return nil
	}
	g.codecs = sandbox.NewCodecs(list, scripts, sandbox.Options{Log: g.log, Metrics: metrics})
	undo.push("codecs", g.codecs.Close)
	faults, unserved := config.TryCodecs(g.cfg, list, g.codecs)
	if len(faults) > 0 {
		return &FaultsError{Faults: faults}
	}
	if unserved != nil {
		g.log.ErrorContext(ctx, "vendors' codecs could not be tried; the payloads of their devices are set aside until they can", "error", unserved)
	}
	g.profiles = config.Kinds(list)
	return nil
}

// readBy reads payloads by the codecs, and by what is built in.
func readBy(codecs *sandbox.Codecs) lorawan.Read {
	if codecs == nil {
		return lorawan.BuiltIn
	}
	return codecs.Read
}

// inFolder says in which folder the files of faults are.
func inFolder(dir string, faults []inventory.Fault) []inventory.Fault {
	for i := range faults {
		faults[i].File = filepath.Join(dir, faults[i].File)
	}
	return faults
}
