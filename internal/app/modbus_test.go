package app_test

import (
	"encoding/binary"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/simpang-id/simpang/internal/app"
)

// counterBus is a unit with two registers on a pty, which answers every question
// for them.
type counterBus struct {
	mu      sync.Mutex
	in, out uint16
}

func (b *counterBus) set(in, out uint16) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.in, b.out = in, out
}

// plug makes the line; path leads to its near end.
func (b *counterBus) plug(t *testing.T, path string) {
	t.Helper()
	blocking, slave, err := pty.Open()
	require.NoError(t, err)
	fd, err := unix.Dup(int(blocking.Fd()))
	require.NoError(t, err)
	require.NoError(t, blocking.Close())
	require.NoError(t, unix.SetNonblock(fd, true))
	master := os.NewFile(uintptr(fd), "master")
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ask := make([]byte, 8); ; {
			if _, err := io.ReadFull(master, ask); err != nil {
				return
			}
			b.mu.Lock()
			answer := []byte{ask[0], ask[1], 4}
			answer = binary.BigEndian.AppendUint16(answer, b.in)
			answer = binary.BigEndian.AppendUint16(answer, b.out)
			b.mu.Unlock()
			_, _ = master.Write(binary.LittleEndian.AppendUint16(answer, crc16(answer)))
		}
	}()
	t.Cleanup(func() {
		_ = master.Close()
		_ = slave.Close()
		<-done
	})
	require.NoError(t, os.Symlink(slave.Name(), path))
}

// crc16 is that of Modbus, bit by bit.
func crc16(frame []byte) uint16 {
	crc := uint16(0xFFFF)
	for _, c := range frame {
		crc ^= uint16(c)
		for range 8 {
			low := crc & 1
			crc >>= 1
			if low != 0 {
				crc ^= 0xA001
			}
		}
	}
	return crc
}

// TestWhatPassedWhileTheGatewayWasOffIsCounted: a gate's counters are told as
// they stand, and a start counts what passed since the last reading that was
// committed, once; nothing passed is told too.
func TestWhatPassedWhileTheGatewayWasOffIsCounted(t *testing.T) {
	dir := newDir(t)
	writeFiles(t, dir, storeFiles)
	config, err := os.ReadFile(filepath.Join(dir, "simpang.yaml"))
	require.NoError(t, err)
	line := filepath.Join(dir, "bus")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "map.yaml"), []byte(`every: 200ms
units:
  - unit: 1
    device: g1
    kind: gate
    registers: [{function: input, register: 0, means: in, class: car}, {function: input, register: 1, means: out, class: car}]
`), 0o600))
	const broker = `sources: [`
	require.Contains(t, string(config), broker)
	text := strings.Replace(string(config), broker, broker+"{id: bus, type: serial, format: modbus, port: "+line+", map_file: map.yaml}, ", 1)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "simpang.yaml"), []byte(text), 0o600))
	bus := &counterBus{in: 100, out: 90}
	bus.plug(t, line)

	// passed is what g1's readings count in all, and how many there are.
	passed := func(run *running, admin string) (in, out, readings int) {
		var page struct {
			Items []struct {
				Direction string
				Count     int
			}
		}
		require.Equal(t, http.StatusOK, run.get("/v1/devices/g1/readings?limit=1000", admin, &page))
		for _, r := range page.Items {
			if r.Direction == "in" {
				in += r.Count
			} else {
				out += r.Count
			}
		}
		return in, out, len(page.Items)
	}
	run := start(t, dir)
	admin := run.admin()
	run.until("both counters are told", func() bool { in, out, n := passed(run, admin); return in == 0 && out == 0 && n == 2 })
	bus.set(103, 91)
	run.until("what passed is counted", func() bool { in, out, _ := passed(run, admin); return in == 3 && out == 1 })
	require.NoError(t, run.stop())

	bus.set(110, 95)
	run = start(t, dir)
	run.until("what passed meanwhile is counted", func() bool { in, out, _ := passed(run, admin); return in == 10 && out == 5 })
	bus.set(111, 95)
	run.until("and it goes on from there", func() bool { in, out, _ := passed(run, admin); return in == 11 && out == 5 })
	require.NoError(t, run.stop())
	require.NoError(t, app.Verify(t.Context(), load(t, dir), t.Logf))
}
