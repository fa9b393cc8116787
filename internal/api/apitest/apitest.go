// Package apitest is a small city for tests of the faces: a real inventory and
// real tokens, with followers whose answers the test sets.
package apitest

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/api"
	"github.com/simpang-id/simpang/internal/command"
	"github.com/simpang-id/simpang/internal/complaint"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/token"
)

//go:embed inventory
var inventoryFiles embed.FS

// Zone is the city's.
var Zone = time.FixedZone("WIB", 7*3600)

// Noon is when the city's clock stands at first: Monday, 2 March 2026, 12:00.
var Noon = time.Date(2026, 3, 2, 12, 0, 0, 0, Zone)

// City is what an api.Server is made of in a test. Fields may be changed
// before the server is used.
type City struct {
	Parking      Parking
	Traffic      Traffic
	Books        Books
	Proofs       Proofs
	Devices      Devices
	Certificates Certificates
	Anomalies    Anomalies
	Register     *complaint.Register
	Gate         Gate
	Quarantine   Quarantine
	Unknown      Unknown
	Refused      []source.TurnedAway
	Commands     *command.Store
	Readings     Readings
	Reports      Reports
	State        api.Readyz
	Version      *inventory.Version
	Tokens       *token.Store
	Secrets      map[token.Role]string
	Clock        *Clock
	Log          *slog.Logger
	Metrics      *prometheus.Registry
}

// Clock is a clock that stands until it is moved.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now returns the clock's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Move moves the clock by d.
func (c *Clock) Move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Inventory parses the small city's inventory.
func Inventory(tb testing.TB) *inventory.Version {
	tb.Helper()
	files := map[string][]byte{}
	require.NoError(tb, fs.WalkDir(inventoryFiles, "inventory", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files[filepath.Base(path)], err = inventoryFiles.ReadFile(path)
		return err
	}))
	v, faults := inventory.Parse(files, Zone)
	require.Empty(tb, faults)
	return v
}

// New returns the city with a token for every role.
func New(tb testing.TB) *City {
	tb.Helper()
	c := &City{
		Version: Inventory(tb), Clock: &Clock{now: Noon}, Secrets: map[token.Role]string{},
		State: api.Readyz{Ready: true}, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(),
	}
	c.Parking.init()
	c.Traffic.init()
	c.Proofs.init(tb)
	c.Certificates.init()
	var err error
	c.Tokens, err = token.Open(tb.Context(), filepath.Join(tb.TempDir(), "tokens.db"), c.Log)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, c.Tokens.Close(context.Background())) })
	c.Register, err = complaint.Open(tb.Context(), filepath.Join(tb.TempDir(), "complaints.db"), complaint.Options{Inventory: c.Current, Zone: Zone})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, c.Register.Close()) })
	c.Commands, err = command.Open(tb.Context(), filepath.Join(tb.TempDir(), "commands.db"), command.Limits{})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, c.Commands.Close()) })
	for _, role := range token.Roles {
		c.Secrets[role] = c.Token(tb, Request(role))
	}
	return c
}

// Request asks for a token of a role, bound where the role needs it.
func Request(role token.Role) token.Request {
	q := token.Request{Role: role, Name: "test " + string(role)}
	switch role {
	case token.Operator:
		q.Operator = "op-01"
	case token.Agency:
		q.Agency = "dishub"
	default:
	}
	return q
}

// Token makes a token and returns its secret.
func (c *City) Token(tb testing.TB, q token.Request) string {
	tb.Helper()
	_, secret, err := c.Tokens.Create(tb.Context(), q, c.Clock.Now())
	require.NoError(tb, err)
	return secret
}

// Options returns the options of a server on the city.
func (c *City) Options() api.Options {
	return api.Options{
		Parking: &c.Parking, Traffic: &c.Traffic, Books: &c.Books, Proofs: &c.Proofs, Devices: &c.Devices, Certificates: &c.Certificates, Anomalies: &c.Anomalies, Complaints: c.Register,
		Readings:   &c.Readings,
		Quarantine: &c.Quarantine, Unknown: &c.Unknown, Commands: c.Commands, TurnedAway: c.turnedAway, Gate: &c.Gate, Inventory: c, Tokens: c.Tokens, Readiness: c,
		Reporting: api.Reporting{Reports: &c.Reports, City: "Kota Contoh", Region: "32.75"},
		Zone:      Zone, Now: c.Clock.Now, Log: c.Log, Version: "test", Registerer: c.Metrics,
	}
}

func (c *City) turnedAway() []source.TurnedAway { return c.Refused }

// Current returns the inventory.
func (c *City) Current() *inventory.Version { return c.Version }

// Ready answers /readyz with what the test set.
func (c *City) Ready(context.Context) api.Readyz { return c.State }
