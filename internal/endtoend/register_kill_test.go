package endtoend_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/outbox/peertest"
)

// acts are what a gateway was asked to do with complaints, and what it
// acknowledged. Each act has a text of its own.
type acts struct {
	mu      sync.Mutex
	reports map[string]*filedReport // by text
	said    map[string]bool         // text of an update -> acknowledged
	open    []*filedReport          // acknowledged and not over
}

// passedOn is which share of the reports is verified and goes to the city's
// system; the others are rejected.
const passedOn = 12

type filedReport struct {
	text, id string // id "": not acknowledged
	photo    bool
	steps    []string // of the officer
	next     int      // of steps
}

// TestTheRegisterIsKilled: at random moments, while citizens report, some with a
// photo, officers verify, answer and close, and the outbox files with another
// process, the power fails. What was acknowledged is there once; what was not is
// there once or not at all; and nothing is twice in the city's own system.
func TestTheRegisterIsKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("eight crashes of a real process take some seconds")
	}
	p := peertest.Start(t)
	p.Set(t, peertest.OK, time.Now())
	g := withPeer(t, writeCity(t, ""), p, "limit: 10")
	g.start()
	g.login()
	a := &acts{reports: map[string]*filedReport{}, said: map[string]bool{}}
	stop := make(chan struct{})
	var work sync.WaitGroup
	work.Go(func() { a.until(stop, func(n int) { a.report(g, n) }) })
	work.Go(func() { a.until(stop, func(n int) { a.officer(g, n) }) })
	crashes := times(8, 80)
	for range crashes {
		g.until("it is ready", func() bool { return g.status("/readyz") == http.StatusOK })
		before := a.acknowledged()
		g.until("something was acknowledged since", func() bool { return a.acknowledged() > before })
		time.Sleep(time.Duration(rand.IntN(700)) * time.Millisecond)
		g.kill()
		g.launch()
	}
	g.until("it is ready again", func() bool { return g.status("/readyz") == http.StatusOK })
	close(stop)
	work.Wait()
	a.judge(t, g, p)
	g.stop()
	out, code := g.run("verify", "-config", g.config)
	require.Zero(t, code, out)
	t.Logf("%d crashes, %d acts acknowledged", crashes, a.acknowledged())
}

func (a *acts) until(stop chan struct{}, do func(n int)) {
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		default:
			do(n)
		}
	}
}

func (a *acts) acknowledged() (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, r := range a.reports {
		if r.id != "" {
			n++
		}
	}
	for _, done := range a.said {
		if done {
			n++
		}
	}
	return n
}

// report files one, each third with a photo.
func (a *acts) report(g *gateway, n int) {
	r := &filedReport{text: fmt.Sprintf("laporan-%d.", n), photo: n%3 == 0, steps: []string{"rejected"}}
	if n%passedOn == 0 {
		r.steps = []string{"verified", "in_progress", "answered", "closed"}
	}
	a.mu.Lock()
	a.reports[r.text] = r
	a.mu.Unlock()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, value := range map[string]string{
		"api_key": g.token, "service_code": "illegal_parking", "address_id": "S-SPOT", "description": r.text,
	} {
		_ = w.WriteField(name, value)
	}
	if r.photo {
		f, _ := w.CreateFormFile("photo", "foto.png")
		_ = png.Encode(f, image.NewGray(image.Rect(0, 0, 40, 30)))
	}
	_ = w.Close()
	resp, err := client.Post("http://"+g.http+"/open311/v2/requests.json", w.FormDataContentType(), &body)
	if err != nil {
		time.Sleep(5 * time.Millisecond) // it is down
		return
	}
	defer resp.Body.Close()
	defer time.Sleep(10 * time.Millisecond) // what is filed must also be passed on
	var made []struct {
		ID string `json:"service_request_id"`
	}
	if data, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusOK || json.Unmarshal(data, &made) != nil || len(made) != 1 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	r.id = made[0].ID
	a.open = append(a.open, r)
}

// officer takes the next step of an open report. One whose end is not known is
// left as it is.
func (a *acts) officer(g *gateway, n int) {
	a.mu.Lock()
	if len(a.open) == 0 {
		a.mu.Unlock()
		time.Sleep(time.Millisecond)
		return
	}
	i := n % len(a.open)
	r := a.open[i]
	step := r.steps[r.next]
	text := r.text + " " + step
	a.said[text] = false
	a.open = append(a.open[:i], a.open[i+1:]...)
	a.mu.Unlock()
	resp, err := g.request(http.MethodPost, "/v1/complaints/"+r.id+"/updates", fmt.Sprintf(`{"status":%q,"text":%q}`, step, text))
	if err != nil {
		time.Sleep(5 * time.Millisecond)
		return
	}
	defer resp.Body.Close()
	if _, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.said[text] = true
	if r.next++; r.next < len(r.steps) {
		a.open = append(a.open, r)
	}
}

// judge compares the register, and the city's, with what was acknowledged.
func (a *acts) judge(t *testing.T, g *gateway, p *peertest.Process) {
	t.Helper()
	g.patience = 2 * time.Minute
	var all []complaintTold
	there := map[string]string{}
	g.until("every delivery has ended, or is not there and is looked for", func() bool {
		records, err := peertest.Read(p.Dir)
		require.NoError(t, err)
		for _, r := range records {
			id, _, _ := strings.Cut(strings.TrimPrefix(r.Form.Get("description"), "["), "]")
			require.Contains(t, []string{"", r.ID}, there[id], "%s was filed twice", id)
			there[id] = r.ID
		}
		all = list[complaintTold](g, "/v1/complaints?source=citizen")
		for _, c := range all {
			if d := deref(c.Delivery); d == "waiting" || d == "sending" && there[c.ID] != "" {
				return false
			}
		}
		return true
	})
	seen := map[string]string{}
	for _, c := range all {
		r := a.reports[c.Description]
		require.NotNil(t, r, "nobody reported %q", c.Description)
		require.Empty(t, seen[c.Description], "%s is there twice", c.Description)
		seen[c.Description] = c.ID
		require.Contains(t, []string{"", c.ID}, r.id)
		if deref(c.Delivery) == "sent" {
			require.Equal(t, there[c.ID], deref(c.Theirs))
		} else {
			require.Empty(t, there[c.ID], c.ID)
		}
		c = g.complaint(c.ID)
		count := map[string]int{}
		for _, u := range c.Updates {
			count[deref(u.Text)]++
		}
		for _, step := range r.steps {
			text := c.Description + " " + step
			if acknowledged, tried := a.said[text]; acknowledged {
				require.Equal(t, 1, count[text], "%q was acknowledged", text)
			} else if !tried {
				require.Zero(t, count[text])
			} else {
				require.LessOrEqual(t, count[text], 1)
			}
		}
		if r.photo {
			require.Len(t, c.Photos, 1, c.ID)
			require.Equal(t, http.StatusOK, g.status("/open311/v2/photos/"+c.Photos[0]))
		} else {
			require.Empty(t, c.Photos)
		}
	}
	for _, r := range a.reports {
		if r.id != "" {
			require.Equal(t, r.id, seen[r.text], "%s was acknowledged", r.text)
		}
	}
}
