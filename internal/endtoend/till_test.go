package endtoend_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

const tillSource = brokerSource + `  - {id: till, type: serial, format: escpos, port: "{tty}", device: meter-s-count-1, templates_file: templates.yaml, idle: 500ms}
`

// till is a till's printer port on a pty.
type till struct {
	t       *testing.T
	port    *os.File
	printed map[string]int64 // amounts by number
}

// newTill makes a pty that tty stands for. Its far end is held, so that what is
// printed while no gateway listens waits in the kernel.
func newTill(t *testing.T, tty string) *till {
	t.Helper()
	port, far, err := pty.Open()
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = port.Close()
		_ = far.Close()
	})
	raw, err := unix.IoctlGetTermios(int(far.Fd()), unix.TCGETS)
	require.NoError(t, err)
	raw.Lflag, raw.Iflag, raw.Oflag = 0, 0, 0
	require.NoError(t, unix.IoctlSetTermios(int(far.Fd()), unix.TCSETS, raw))
	require.NoError(t, os.Symlink(far.Name(), tty))
	return &till{t: t, port: port, printed: map[string]int64{}}
}

const plate = "B 1234 KXY"

// paper is the next receipt: a picture that looks like one, text, drawer, cut.
func (p *till) paper() string {
	n := len(p.printed) + 1
	number, amount := fmt.Sprintf("K-%04d", n), int64(2000+n)
	p.printed[number] = amount
	picture := "\x1dv0\x00\x08\x00\x08\x00" + "\nTOTAL: Rp 9.999\n\x1b@\x1dV\x00" + strings.Repeat("\xa5\x1b", 20) + "\x00\x00"
	return "\x1b@" + picture + "PLAZA\nSTRUK PARKIR\nNo. Struk: " + number + "\nNopol : " + plate + "\nMOBIL\nTOTAL : Rp " + fmt.Sprintf("%d.%03d", amount/1000, amount%1000) + "\nTUNAI\n\x1bp\x00\x19\xfa\x1dVB\x03"
}

func (p *till) print(text string) {
	p.t.Helper()
	_, err := p.port.WriteString(text)
	require.NoError(p.t, err)
}

func tillGateway(t *testing.T) (*gateway, *till) {
	t.Helper()
	tty := filepath.Join(t.TempDir(), "till")
	g := newGateway(t, writeCity(t, ""), strings.ReplaceAll(tillSource, "{tty}", tty))
	templates, err := os.ReadFile(filepath.Join(root(), "configs/templates/parkir.yaml"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(g.dir, "templates.yaml"), templates, 0o600))
	return g, newTill(t, tty)
}

// books are the amounts by number; each is there once.
func (g *gateway) bookOf(device string) map[string]int64 {
	g.t.Helper()
	g.level()
	got := map[string]int64{}
	for _, r := range list[receipt](g, "/v1/revenue/receipts?"+span(time.Now().Add(-time.Hour), time.Now().Add(time.Hour))) {
		if r.Device == device {
			require.NotContains(g.t, got, r.Receipt, "twice")
			got[r.Receipt] = r.Amount
		}
	}
	return got
}

// A till prints, and the power of the gateway fails in the middle, again and
// again: each receipt is in the books once and to the rupiah, but for the one that
// was going on: of that no amount is guessed.
func TestTillKillNine(t *testing.T) {
	g, p := tillGateway(t)
	g.start()
	g.login()
	crashes := times(5, 30)
	cut := map[string]bool{} // what was going on at a crash; true: before its end
	for n := range crashes {
		for range 3 {
			p.print(p.paper())
		}
		g.until("they are in the books", func() bool { return len(g.bookOf("meter-s-count-1")) >= len(p.printed)-len(cut) })
		paper := p.paper()
		half := 100 + rand.IntN(len(paper)-140) // behind the picture, before the cut
		if n%2 == 1 {
			half = len(paper) // it ended: it is in the books, or was never read
		}
		cut[numberOf(paper)] = half < len(paper)
		p.print(paper[:half])
		time.Sleep(time.Duration(rand.IntN(300)) * time.Millisecond)
		g.kill()
		g.launch()
		g.until("it is ready again", func() bool {
			g.lives()
			return g.status("/readyz") == http.StatusOK && strings.Contains(g.body("/readyz"), `"id":"till"`)
		})
		p.print(paper[half:])
		g.until("what was printed has come", func() bool {
			return g.metric(`simpang_source_counts_total{source="till",what="bytes"}`) >= float64(len(paper)-half)
		})
		time.Sleep(700 * time.Millisecond) // the line is idle, which is what the gateway waits for
	}
	last := p.paper()
	p.print(last)
	g.until("the last is in the books", func() bool { return g.bookOf("meter-s-count-1")[numberOf(last)] > 0 })
	got := g.bookOf("meter-s-count-1")
	for number, amount := range got {
		require.Equal(t, p.printed[number], amount, number)
	}
	for number := range p.printed {
		_, there := got[number]
		going, crashed := cut[number]
		switch {
		case !crashed:
			require.True(t, there, number)
		case going:
			require.False(t, there, "%s was cut off, and was read", number)
		}
	}
	refused := list[quarantined](g, "/v1/quarantine?reason=print_cut_off")
	t.Logf("%d printed, %d in the books, %d parts set aside, %d crashes", len(p.printed), len(got), len(refused), crashes)
	require.NotEmpty(t, refused)
	g.stop()
	out, code := g.run("verify", "-config", g.config)
	require.Zero(t, code)
	require.Contains(t, out, "spool: each of")
}

func numberOf(paper string) string {
	_, rest, _ := strings.Cut(paper, "No. Struk: ")
	number, _, _ := strings.Cut(rest, "\n")
	return number
}

// What no template fits is kept and can be read once one does. A plate stands
// nowhere: in no answer, no log, no file.
func TestTillTemplatesAndPlates(t *testing.T) {
	g, p := tillGateway(t)
	g.start()
	g.login()
	g.until("the line is open", func() bool { return strings.Contains(g.body("/readyz"), `"id":"till"`) })
	p.print(p.paper())
	p.print("\x1b@KEDAI KOPI\nNO STRUK 77\nNOPOL " + plate + "\nJUMLAH Rp 4.000\nTUNAI\n\x1dVB\x03")
	g.until("one is in the books", func() bool { return len(g.bookOf("meter-s-count-1")) == 1 })
	var unread []quarantined
	g.until("the other is set aside", func() bool {
		unread = list[quarantined](g, "/v1/quarantine?reason=print_unread")
		return len(unread) == 1
	})
	require.Equal(t, "meter-s-count-1", unread[0].Device)
	require.NotNil(t, unread[0].Seq)

	// What was printed can be read, and who does is written down.
	prints, code := g.run("print", "-config", g.config)
	require.Zero(t, code)
	require.Equal(t, 2, strings.Count(prints, "ended by cut, whole true"))
	text, code := g.run("print", "-config", g.config, "-id", "2")
	require.Zero(t, code)
	require.Equal(t, "KEDAI KOPI\nNO STRUK 77\nNOPOL "+plate+"\nJUMLAH Rp 4.000\nTUNAI\n", text)
	looked, code := g.run("print", "-config", g.config, "-opened")
	require.Zero(t, code)
	require.Equal(t, 1, strings.Count(looked, "print 2\t"))
	_, code = g.run("print", "-config", g.config, "-id", "99")
	require.Equal(t, 2, code)

	edit(t, g.dir, "templates.yaml", "match: ['parkir|parking']", "match: ['parkir|parking|kedai kopi']")
	g.stop()
	g.start()
	reply := g.ask(t, http.MethodPost, fmt.Sprintf("/v1/quarantine/%d/retry", unread[0].ID), "", "Authorization", "Bearer "+g.token)
	require.Equal(t, http.StatusOK, reply.StatusCode)
	g.until("it is in the books", func() bool { return g.bookOf("meter-s-count-1")["77"] == 4000 })

	shown := g.body("/v1/quarantine") + g.body("/v1/devices/meter-s-count-1/readings?"+span(time.Now().Add(-time.Hour), time.Now().Add(time.Hour))) +
		g.body("/v1/revenue/receipts?"+span(time.Now().Add(-time.Hour), time.Now().Add(time.Hour))) + g.body("/readyz")
	g.stop()
	for _, word := range []string{plate, strings.ReplaceAll(plate, " ", ""), "1234 KXY"} {
		require.NotContains(t, shown, word, "in an answer")
		require.NotContains(t, g.log.String(), word, "in the log")
		require.NoError(t, filepath.WalkDir(filepath.Join(g.dir, "data"), func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			require.False(t, bytes.Contains(text, []byte(word)), "in %s", path)
			return err
		}))
	}
}
