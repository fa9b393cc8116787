package influx_test

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/influx"
)

// VictoriaMetrics takes the v2 write API too. It keeps milliseconds and floats:
// what is promised is that each reading of a time of its own is there once, also
// where it was sent twice and the server was killed.
func TestVictoriaMetrics(t *testing.T) {
	path, err := exec.LookPath("victoria-metrics")
	require.NoError(t, err, "run make servers, which installs Debian's victoria-metrics")
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	dir := t.TempDir()
	get := func(path string) (string, error) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+path, nil)
		require.NoError(t, err)
		r.Close = true
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		return string(text), err
	}
	b := newBed(t, influx.Server{URL: "http://" + address, Bucket: "simpang", Timeout: 3 * time.Second, Gzip: true})
	begin := time.Now().Add(-time.Hour).UnixMilli() / 60_000 * 60_000 // it keeps a month
	launch := func() *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), path, "-storageDataPath", dir, "-httpListenAddr", address, "-dedup.minScrapeInterval=1ms", "-loggerLevel=ERROR", "-memory.allowedBytes=200000000")
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		require.NoError(t, cmd.Start())
		b.until(func() bool {
			_, err := get("/health")
			return err == nil
		}, func() any { return "it does not listen" })
		return cmd
	}
	server := launch()
	var want []string
	more := func(from, to uint64) {
		for i := from; i < to; i++ {
			b.log.read(spot("P1", i, begin+int64(i)*500))
			want = append(want, strconv.FormatUint(i, 10))
		}
	}
	more(0, 3000)
	target, _ := b.run()
	b.level(target, "readings")
	require.NoError(t, server.Process.Kill()) // what it took and did not keep is sent again
	_ = server.Wait()
	more(3000, 3500)
	b.until(func() bool { return target.Status()[0].Detail != "" }, func() any { return target.Status() })
	server = launch()
	defer func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	}()
	b.level(target, "readings")
	exported := func() (seqs []string) {
		text, err := get("/api/v1/export?" + url.Values{"match[]": {`spot_seq{device="P1",gateway="gw-1"}`}, "reduce_mem_usage": {"0"}}.Encode())
		require.NoError(t, err)
		if _, list, ok := strings.Cut(text, `"values":[`); ok {
			list, _, _ = strings.Cut(list, "]")
			seqs = strings.Split(list, ",")
		}
		sort.Strings(seqs)
		return seqs
	}
	b.until(func() bool { return len(exported()) >= len(want) }, func() any { return len(exported()) })
	sort.Strings(want)
	require.Equal(t, want, exported())
}
