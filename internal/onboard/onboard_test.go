package onboard_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/api/apitest"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/onboard"
	"github.com/simpang-id/simpang/internal/wire"
	"github.com/simpang-id/simpang/internal/wire/lorawan"
	"github.com/simpang-id/simpang/internal/wire/native"
)

const minute = int64(60_000)

type rig struct {
	path string
	q    *journal.Quarantine
	list *onboard.List
	log  bytes.Buffer
}

func newRig(tb testing.TB) *rig {
	tb.Helper()
	r := &rig{path: filepath.Join(tb.TempDir(), "q.db")}
	r.open(tb)
	return r
}

func (r *rig) open(tb testing.TB) {
	tb.Helper()
	var err error
	r.q, err = journal.OpenQuarantine(tb.Context(), r.path, [32]byte{1}, journal.Limits{})
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = r.q.Close() })
	r.list = onboard.New(r.options(tb))
}

func (r *rig) options(tb testing.TB) onboard.Options {
	tb.Helper()
	v := apitest.Inventory(tb)
	return onboard.Options{
		Quarantine: r.q, Inventory: func() *inventory.Version { return v }, Log: slog.New(slog.NewTextHandler(&r.log, nil)),
		Decode: func(_, device string, raw []byte) wire.Decoded { return native.Decode(device, raw) },
		Network: func(source string, raw []byte) lorawan.Parse {
			if native.Is(raw) {
				return nil
			}
			return map[string]lorawan.Parse{"ttn": lorawan.ParseTTS, "chirp": lorawan.ParseChirpStack}[source]
		},
	}
}

func (r *rig) put(t *testing.T, source, device string, reason city.Reason, recv int64, raw string) {
	t.Helper()
	_, err := r.q.Put(t.Context(), []journal.Item{{
		Recv: recv, Source: source, Device: device, Topic: "sg/v1/" + device + "/up", Reason: reason, Detail: "do something", Raw: []byte(raw),
	}})
	require.NoError(t, err)
}

func (r *rig) page(tb testing.TB, after string, limit int) ([]onboard.Stranger, bool) {
	tb.Helper()
	all, more, err := r.list.Page(tb.Context(), after, limit, "tk-1")
	require.NoError(tb, err)
	return all, more
}

func at(ms int64) string {
	return string(native.Encode(&city.Reading{At: ms}))[len(`{"kind":"","seq":0,"at":"`):][:20]
}

func TestStrangers(t *testing.T) {
	r := newRig(t)
	for i := range int64(8) {
		r.put(t, "broker", "new-1", city.ReasonUnknownDevice, 1_000_000_000_000+i*5*minute,
			fmt.Sprintf(`{"kind":"spot","seq":%d,"at":"%s","occupied":true,"battery_v":3.6}`, i, at(1_000_000_000_000+i*5*minute)))
	}
	r.put(t, "broker", "new-1", city.ReasonNotJSON, 1_000_000_000_000+60*minute, `nonsense`)
	r.put(t, "broker", "spot-1", city.ReasonNotJSON, 5, `nonsense`) // is in the inventory
	r.put(t, "broker", "", city.ReasonBadTopic, 5, `nonsense`)      // nobody
	r.put(t, "broker", "till-9", city.ReasonUnknownDevice, 5,
		`{"kind":"receipt","seq":1,"at":"2026-03-02T08:15:00Z","receipt":"R-77","amount":5000,"method":"cash","plate":"B 1234 XY","total_amount":987000}`)

	all, more := r.page(t, "", 10)
	require.False(t, more)
	require.Len(t, all, 2)
	s := all[0]
	require.Equal(t, "new-1", s.Device)
	require.Equal(t, 9, s.Items)
	require.Equal(t, []city.Reason{city.ReasonNotJSON, city.ReasonUnknownDevice}, s.Reasons)
	require.Equal(t, int64(1_000_000_000_000), s.First)
	require.Equal(t, 1_000_000_000_000+60*minute, s.Last)
	require.Len(t, s.Samples, 5)
	require.Equal(t, city.KindNone, s.Samples[0].Kind)
	require.Equal(t, []onboard.Member{{Name: "occupied", Value: "true"}, {Name: "battery_v", Value: "3.6"}, {Name: "seq", Value: "7"}}, s.Samples[1].Says)
	require.Equal(t, []string{"new-1", "spot", "", "", "", "", "", "", "300", "heard over broker"}, s.Line.Cells())
	require.Equal(t, []string{"site"}, s.Line.Missing)

	till := fmt.Sprintf("%+v", all[1])
	require.Equal(t, inventory.DeviceMeter, all[1].Line.Kind)
	for _, secret := range []string{"R-77", "1234", "5000", "987000"} {
		require.NotContains(t, till, secret)
	}
	require.Contains(t, r.log.String(), "token=tk-1")

	first, more := r.page(t, "", 1)
	require.True(t, more)
	second, more := r.page(t, first[0].Device, 1)
	require.False(t, more)
	require.Equal(t, "till-9", second[0].Device)

	require.NoError(t, r.q.Close())
	r.open(t) // a restart
	again, _ := r.page(t, "", 10)
	require.Equal(t, all, again)
}

func TestALineFromWhatANetworkSays(t *testing.T) {
	const eui = "70B3D57ED0000099"
	r := newRig(t)
	for i := range 6 {
		r.put(t, "ttn", eui, city.ReasonUnknownDevice, int64(i), fmt.Sprintf(`{"end_device_ids":{"device_id":"Spot-North-9","dev_eui":"%s"},
			"uplink_message":{"session_key_id":"a","f_port":1,"f_cnt":%d,"frm_payload":"AQ==","received_at":"2026-03-02T08:%02d:00Z",
			"version_ids":{"brand_id":"bosch","model_id":"tps110"},"rx_metadata":[{"rssi":-97,"snr":7.5}]}}`, eui, i, i*10))
	}
	r.put(t, "chirp", "70B3D57ED00000AA", city.ReasonUnknownDevice, 3, `{"time":"2026-03-02T08:00:00Z","deviceInfo":{"devEui":"70b3d57ed00000aa","deviceName":"Tor Masuk","deviceProfileName":"Acme 5"},
		"fCnt":4,"fPort":1,"data":"AQ==","rxInfo":[{"rssi":-80,"snr":9}]}`)
	r.put(t, "ttn", "radar", city.ReasonNotJSON, 3, `{{`)
	all, _ := r.page(t, "", 10)
	require.Len(t, all, 3)
	one := all[0]
	require.Equal(t, []string{"spot-north-9", "spot", "", "", "", "", "bosch-tps110", eui, "600", "heard over ttn, bosch tps110"}, one.Line.Cells())
	require.Equal(t, []string{"site"}, one.Line.Missing)
	require.Equal(t, []onboard.Member{{Name: "payload_hex", Value: "01"}, {Name: "rssi_dbm", Value: "-97"}, {Name: "snr_db", Value: "7.5"}}, one.Samples[0].Says)
	chirp := all[1].Line
	require.Empty(t, chirp.ID, "a name with a blank is no id")
	require.Empty(t, chirp.Profile, "several read it, and the network names none")
	require.Greater(t, len(chirp.Profiles), 1)
	require.Zero(t, chirp.IntervalS)
	require.Equal(t, []string{"id", "kind", "site", "profile"}, chirp.Missing)
	require.Nil(t, all[2].Network)
}

// A row that the disk spoilt takes away itself alone.
func TestWhatCannotBeOpenedIsSaid(t *testing.T) {
	r := newRig(t)
	for i := range int64(3) {
		r.put(t, "broker", "new-1", city.ReasonUnknownDevice, 1000+i, fmt.Sprintf(`{"kind":"spot","seq":%d,"at":"2026-03-02T08:15:00Z","occupied":true}`, i))
	}
	r.put(t, "broker", "new-2", city.ReasonUnknownDevice, 5, `{"kind":"spot","seq":1,"at":"2026-03-02T08:15:00Z","occupied":true}`)
	db, err := sql.Open("sqlite", r.path)
	require.NoError(t, err)
	defer db.Close()
	_, err = db.ExecContext(t.Context(), "UPDATE item SET sealed = x'00112233' WHERE recv = 1002")
	require.NoError(t, err)
	all, _ := r.page(t, "", 10)
	require.Len(t, all, 2)
	require.Len(t, all[0].Samples, 3)
	require.Equal(t, []onboard.Member{{Name: "error", Value: "could not be opened"}}, all[0].Samples[0].Says)
	require.Equal(t, city.KindSpot, all[0].Samples[1].Kind)
	require.Equal(t, "do something", all[0].Detail)
	require.Equal(t, inventory.DeviceSpot, all[0].Line.Kind)
	require.Contains(t, r.log.String(), "could not be opened")
	require.Contains(t, r.log.String(), "messages=3")
}

// The log says what was opened before the list failed.
func TestWhatWasOpenedIsLoggedThoughTheListFails(t *testing.T) {
	r := newRig(t)
	r.put(t, "broker", "new-1", city.ReasonUnknownDevice, 1, `{"kind":"spot","seq":1,"at":"2026-03-02T08:15:00Z","occupied":true}`)
	r.put(t, "broker", "new-2", city.ReasonUnknownDevice, 1, `x`)
	o := r.options(t)
	o.Quarantine = failing{r.q}
	_, _, err := onboard.New(o).Page(t.Context(), "", 10, "tk-1")
	require.ErrorIs(t, err, os.ErrClosed)
	require.Contains(t, r.log.String(), "messages=1")
}

type failing struct{ *journal.Quarantine }

func (f failing) Newest(ctx context.Context, device string, limit int) ([]journal.Opened, error) {
	if device == "new-2" {
		return nil, os.ErrClosed
	}
	return f.Quarantine.Newest(ctx, device, limit)
}

// A native device beside a bridge of a LoRaWAN network.
func TestANativeStrangerOverASourceOfANetwork(t *testing.T) {
	r := newRig(t)
	r.put(t, "ttn", "new-1", city.ReasonUnknownDevice, 1, `{"kind":"spot","seq":1,"at":"2026-03-02T08:15:00Z","occupied":true}`)
	all, _ := r.page(t, "", 10)
	require.Equal(t, []string{"new-1", "spot", "", "", "", "", "", "", "", "heard over ttn"}, all[0].Line.Cells())
	require.Nil(t, all[0].Network)
}

func TestAStrangersWordsAreBounded(t *testing.T) {
	r := newRig(t)
	long := strings.Repeat("x", 200)
	r.put(t, "broker", long, city.ReasonUnknownDevice, 3, `{"kind":"health","seq":1,"at":"2026-03-02T08:00:00Z","firmware":"`+long+`\u0000\u202e"}`)
	all, _ := r.page(t, "", 10)
	require.Empty(t, all[0].Line.ID)
	require.LessOrEqual(t, len(all[0].Topic), 64)
	require.Equal(t, onboard.Member{Name: "firmware", Value: long[:64]}, all[0].Samples[0].Says[0])
	require.Empty(t, all[0].Line.Kind, "health tells no kind")
}
