package web_test

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/api"
	"github.com/simpang-id/simpang/internal/api/apitest"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/ledger"
	"github.com/simpang-id/simpang/internal/occupancy"
	"github.com/simpang-id/simpang/internal/traffic"
	"github.com/simpang-id/simpang/internal/web"
)

// startCity serves the small city with its pages, rendering as it goes.
func startCity(t *testing.T) (c *apitest.City, url string) {
	t.Helper()
	c = apitest.New(t)
	noon := apitest.Noon.UnixMilli()
	c.Parking.Set(site(c, "s-alun", 12, 28))
	c.Parking.Set(site(c, "s-mall", 0, 510))
	c.Traffic.Set(traffic.SegmentState{
		ID: "veteran-s", Status: "open", FlowVPH: city.SomeMilli(1_204_000), SpeedKmh: city.SomeMilli(31_400), DJ: city.SomeMilli(512),
		Regime: "dense", LOS: "C", Trend: "rising", Quality: "live", ObservedAt: noon - 20_000, Source: "x",
	})
	c.Traffic.City = traffic.Congestion{Index: city.SomeMilli(3400), ObservedAt: noon}
	c.Books.Accounts = []ledger.AccountTotal{
		{
			Account: "4.1.02.01.04.0001", Name: "Retribusi Tepi Jalan", Target: city.SomeInt(9_600_000_000), Recorded: city.SomeInt(2_131_004_000),
			Due: city.SomeInt(2_131_004_000), InSettlement: city.SomeInt(0), Realized: city.SomeInt(1_200_000_000),
		},
		{Account: "4.1.01.19.04.0001", Name: "PBJT Jasa Parkir", Target: city.SomeInt(33_000_000_000), Suppressed: true},
	}
	c.State = api.Readyz{
		Ready: true, Head: 1_234_567,
		Sources:   []api.SourceReady{{ID: "broker", Type: "broker", Connected: true, LagS: city.SomeInt(1), Received: 98_765}},
		Followers: []api.FollowerReady{{Name: "occupancy", Cursor: 1_234_560, Lag: 7, LagS: city.SomeMilli(120)}},
	}
	pages, err := web.New(web.Options{City: "Kota Bekasi", Version: "test"})
	require.NoError(t, err)
	o := c.Options()
	o.Pages = pages
	s, err := api.New(o)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- s.Run(ctx) }()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	srv := s.NewServer("")
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ran)
		require.NoError(t, srv.Close())
		require.ErrorIs(t, <-served, http.ErrServerClosed)
	})
	return c, "http://" + l.Addr().String()
}

func site(c *apitest.City, id string, free, occupied int) occupancy.SiteState {
	s := c.Version.Site(id)
	state := occupancy.SiteState{ID: id, Quality: occupancy.QualityLive, Confidence: 1, ObservedAt: apitest.Noon.UnixMilli() - 45_000}
	for _, class := range s.Classes {
		cs := occupancy.ClassState{Class: class, Capacity: free + occupied, Free: city.SomeInt(int64(free)), Occupied: city.SomeInt(int64(occupied)), State: occupancy.StateOpen, Quality: occupancy.QualityLive}
		if free == 0 {
			cs.State, cs.Capacity = occupancy.StateFull, occupied-10
		}
		state.Classes = append(state.Classes, cs)
	}
	return state
}

// browse opens a page in a real Chromium; whatever the page complains of
// fails the test.
func browse(t *testing.T, width, height int64) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		path, err = exec.LookPath("chromium-browser")
	}
	require.NoError(t, err, "Chromium is needed: apt-get install chromium (make test does it)")
	flags := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.WSURLReadTimeout(60*time.Second))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, flags...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	messages := chromedp.Console(ctx)
	read := make(chan struct{})
	go func() {
		defer close(read)
		for m, err := range messages {
			if err != nil {
				return
			}
			if m.Type != chromedp.ConsoleLog && m.Type != chromedp.ConsoleDebug && m.Type != chromedp.ConsoleInfo {
				t.Errorf("the page complains: %s", m)
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-read
	})
	var mobile []chromedp.EmulateViewportOption
	if width < 600 {
		mobile = append(mobile, chromedp.EmulateMobile)
	}
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(width, height, mobile...)))
	return ctx
}

// evaluate returns what a script gives in the page.
func evaluate[T any](ctx context.Context, t *testing.T, script string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](script))
	require.NoError(t, err)
	return v
}

// text waits until an element has this text.
func text(ctx context.Context, t *testing.T, selector, want string) {
	t.Helper()
	script := "(() => { const e = document.querySelector(`" + selector + "`); return e ? e.textContent : '(nothing)'; })()"
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		got, err := chromedp.Run(ctx, chromedp.Evaluate[string](script))
		assert.NoError(c, err)
		assert.Equal(c, want, got, selector)
	}, 15*time.Second, 20*time.Millisecond)
}

// shot keeps a picture of the page where SIMPANG_SHOTS says so.
func shot(ctx context.Context, t *testing.T, name string) {
	t.Helper()
	dir := os.Getenv("SIMPANG_SHOTS")
	if dir == "" {
		return
	}
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), picture, 0o600))
}

func TestANumberMovesInThePage(t *testing.T) {
	c, url := startCity(t)
	ctx := browse(t, 1280, 900)
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(url+"/")))
	const alun = `#sites tr[data-id="s-alun"] td:nth-of-type(1) .free`
	text(ctx, t, alun, "12")
	text(ctx, t, "#link-text", "langsung / live")
	text(ctx, t, `#sites tr[data-id="s-pasar"] td:nth-of-type(1) .free`, "–") // never heard: unknown, not 0
	text(ctx, t, `#sites tr[data-id="s-mall"] td:nth-of-type(1) .word`, "penuh")
	text(ctx, t, "#sites tr[data-id=\"s-mall\"] th span", `Mal "Contoh" <1>`)
	text(ctx, t, "#sum-car", "12")
	text(ctx, t, `#segments tr[data-id="veteran-s"] .los`, "C")
	text(ctx, t, "#sum-index", "3,4")
	text(ctx, t, "#sum-money", "Rp2,13 miliar")
	text(ctx, t, "#accounts tbody tr:nth-child(2) td:last-child", "dirahasiakan")
	text(ctx, t, "#followers tbody td", "1.234.560")
	text(ctx, t, "#sources tbody td", "tersambung")
	shot(ctx, t, "status-wide.png")

	c.Parking.Set(site(c, "s-alun", 11, 29))
	text(ctx, t, alun, "11")
	text(ctx, t, "#sum-car", "11")
	c.Parking.Set(site(c, "s-alun", 0, 45))
	text(ctx, t, `#sites tr[data-id="s-alun"] td:nth-of-type(1) .word`, "penuh")

	here := evaluate[string](ctx, t, `location.pathname`)
	require.Equal(t, "/status", here)

	require.NoError(t, chromedp.Do(ctx, chromedp.SendKeys(chromedp.CSS("#find-site"), "pasar")))
	require.Equal(t, 1, evaluate[int](ctx, t, `document.querySelectorAll("#sites tbody tr:not([hidden])").length`))
}

func TestThePageFitsAPhone(t *testing.T) {
	_, url := startCity(t)
	ctx := browse(t, 360, 740)
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(url+"/status")))
	text(ctx, t, `#sites tr[data-id="s-alun"] td:nth-of-type(1) .free`, "12")
	text(ctx, t, "#sum-money", "Rp2,13 miliar")
	shot(ctx, t, "status-phone.png")
	require.False(t, evaluate[bool](ctx, t, `document.documentElement.scrollWidth > document.documentElement.clientWidth`), "nothing is wider than the screen")
}

func TestTheDocumentIsReadable(t *testing.T) {
	_, url := startCity(t)
	ctx := browse(t, 1100, 800)
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(url+"/docs")))
	text(ctx, t, "#listSites h3 code", "/v1/parking/sites")
	text(ctx, t, "#schema-Site caption", "Site")
	shot(ctx, t, "docs.png")
	const all = `[...document.querySelectorAll('a[href^="#"]')]`
	require.Greater(t, evaluate[int](ctx, t, all+`.length`), 40)
	require.Zero(t, evaluate[int](ctx, t, all+`.filter(a => !document.getElementById(a.getAttribute("href").slice(1))).length`))
}
