package endtoend_test

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// fails starts the program, which must end by itself, and returns what it says.
func (g *gateway) fails(t *testing.T, wantExit int, change ...func(*exec.Cmd)) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), simpang, "serve", "-config", g.config)
	var said bytes.Buffer
	cmd.Stderr = &said
	for _, c := range change {
		c(cmd)
	}
	begin := time.Now()
	err := cmd.Run()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, "it must not run: %s", &said)
	require.Equal(t, wantExit, exit.ExitCode(), "%s", &said)
	require.Less(t, time.Since(begin), 30*time.Second)
	return said.String()
}

// reconfigure replaces text in the configuration.
func (g *gateway) reconfigure(t *testing.T, old, with string) {
	t.Helper()
	edit(t, filepath.Dir(g.config), filepath.Base(g.config), old, with)
}

// A fault of configuration or inventory stops the start, with every fault, its
// file and its line.
func TestFaultsOfConfiguration(t *testing.T) {
	t.Run("configuration", func(t *testing.T) {
		g := newGateway(t, writeCity(t, ""), brokerSource)
		g.reconfigure(t, "Asia/Jakarta", "Mars/Olympus")
		g.reconfigure(t, "data_dir: data", "data_dir: data\ncolour: blue")
		g.reconfigure(t, "type: broker", "type: pigeon")
		said := g.fails(t, 2)
		for _, part := range []string{"simpang.yaml:1", "Mars/Olympus", "simpang.yaml:4", "colour", "simpang.yaml:7", "pigeon"} {
			require.Contains(t, said, part)
		}
	})
	t.Run("inventory", func(t *testing.T) {
		dir := writeCity(t, "")
		edit(t, dir, "devices.csv", "spot-c01,spot,S-SPOT", "spot-c01,spot,S-NOWHERE")
		edit(t, dir, "devices.csv", "tc-1,traffic", "tc-1,trafic")
		edit(t, dir, "accounts.csv", "0.1", "1.1")
		g := newGateway(t, dir, brokerSource)
		said := g.fails(t, 2)
		for _, part := range []string{"devices.csv:2", "S-NOWHERE", "trafic", "accounts.csv:2"} {
			require.Contains(t, said, part)
		}
		_, code := g.run("check", "-config", g.config)
		require.Equal(t, 2, code)
	})
	t.Run("no file", func(t *testing.T) {
		g := newGateway(t, writeCity(t, ""), brokerSource)
		require.NoError(t, os.Remove(g.config))
		require.Contains(t, g.fails(t, 2), "simpang.yaml")
	})
}

// What the machine refuses is said clearly, with what to do.
func TestFaultsOfTheMachine(t *testing.T) {
	t.Run("port in use", func(t *testing.T) {
		for _, listen := range []string{"http", "mqtt", "admin"} {
			g := newGateway(t, writeCity(t, ""), brokerSource)
			address := map[string]string{"http": g.http, "mqtt": g.mqtt, "admin": g.admin}[listen]
			l, err := net.Listen("tcp", address)
			require.NoError(t, err)
			said := g.fails(t, 1)
			require.Contains(t, said, address)
			require.Contains(t, said, "in use")
			require.NoError(t, l.Close())
		}
	})
	t.Run("data folder not writable", func(t *testing.T) {
		if os.Getuid() != 0 {
			t.Skip("needs root, to run the gateway as nobody")
		}
		inventory := writeCity(t, "")
		g := newGateway(t, inventory, brokerSource)
		// Everything can be read by nobody but the data folder.
		program := filepath.Join(g.dir, "simpang")
		text, err := os.ReadFile(simpang)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(program, text, 0o755))
		require.NoError(t, os.Mkdir(filepath.Join(g.dir, "data"), 0o700))
		for _, dir := range []string{g.dir, filepath.Dir(g.dir), inventory} {
			require.NoError(t, os.Chmod(dir, 0o755))
		}
		files, err := filepath.Glob(filepath.Join(inventory, "*"))
		require.NoError(t, err)
		for _, name := range append(files, g.config) {
			require.NoError(t, os.Chmod(name, 0o644))
		}
		said := g.fails(t, 1, func(cmd *exec.Cmd) {
			cmd.Path = program
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		})
		require.Contains(t, said, "permission denied")
		require.Contains(t, said, "data_dir")
	})
	t.Run("second gateway", func(t *testing.T) {
		g := newGateway(t, writeCity(t, ""), brokerSource)
		g.start()
		said := g.fails(t, 1)
		require.Contains(t, said, "another gateway")
		require.Contains(t, said, filepath.Join(g.dir, "data"))
		require.Equal(t, http.StatusOK, g.status("/readyz"), "the first runs on")
	})
}

// A full disk stops acknowledgements, and nothing else; when there is room
// again it goes on by itself, and nothing is lost.
func TestDiskFull(t *testing.T) {
	disk := filepath.Join(t.TempDir(), "disk")
	require.NoError(t, os.Mkdir(disk, 0o700))
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=24m"); err != nil {
		t.Skipf("no small disk can be mounted here: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(disk, unix.MNT_DETACH) })
	g := newGateway(t, writeCity(t, ""), brokerSource)
	g.reconfigure(t, "data_dir: data", "data_dir: "+filepath.Join(disk, "data"))
	secret := g.bridgeSecret()
	g.start()
	g.login()
	before := g.vitals()
	p := connect(t, g.mqtt, "bridge", secret)
	seq, receipts, sum := 0, 0, int64(0)
	many := func() string {
		texts := make([]string, 400)
		for i := range texts {
			seq++
			texts[i] = spotReading(1, seq, at(0), seq%2 == 0)
		}
		return "[" + strings.Join(texts, ",") + "]"
	}
	receipt := func() string {
		receipts++
		sum += int64(1000 + receipts)
		return fmt.Sprintf(`{"kind":"receipt","boot":1,"seq":%d,"at":%q,"receipt":"K-%d","amount":%d,"method":"cash","class":"car"}`, receipts, at(0), receipts, 1000+receipts)
	}
	p.up("spot-c01", many())
	p.up("meter-s-count-1", receipt())
	fill(t, filepath.Join(disk, "filler"))
	// What SQLite has reserved already may still take some.
	unacknowledged := p.c.Publish("sg/v1/spot-c01/up", 1, false, many())
	for unacknowledged.WaitTimeout(2 * time.Second) {
		require.Less(t, seq, 400*400, "the disk is full and everything is acknowledged")
		unacknowledged = p.c.Publish("sg/v1/spot-c01/up", 1, false, many())
	}
	unpaid := p.c.Publish("sg/v1/meter-s-count-1/up", 1, false, receipt())
	g.until("readyz says that the disk is full", func() bool { return strings.Contains(g.body("/readyz"), "disk full") })
	require.Equal(t, http.StatusServiceUnavailable, g.status("/readyz"))
	require.Equal(t, http.StatusOK, g.status("/v1/parking/sites"), "what is known is still told")
	require.Contains(t, g.log.String(), "disk full")
	require.NoError(t, os.Remove(filepath.Join(disk, "filler")))
	require.True(t, unacknowledged.WaitTimeout(acknowledged), "it goes on by itself")
	require.True(t, unpaid.WaitTimeout(acknowledged), "money too")
	g.until("ready again", func() bool { return g.status("/readyz") == http.StatusOK })
	eachOnce(t, g.readings("spot-c01"), seq)
	require.Equal(t, sum, g.recorded(), "rupiah")
	p.c.Disconnect(50)
	g.recovers(t, before, 64)
	g.verified(t)
}

// fill writes until there is no room.
func fill(t *testing.T, name string) {
	t.Helper()
	f, err := os.Create(name)
	require.NoError(t, err)
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			require.ErrorIs(t, err, syscall.ENOSPC)
			size /= 2
		}
	}
	require.NoError(t, f.Close())
}
