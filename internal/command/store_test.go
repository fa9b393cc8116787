package command_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"maps"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/command"
)

const hour = int64(3_600_000)

type rig struct {
	*command.Store
	path string
}

func open(t *testing.T, path string, limits command.Limits) *rig {
	t.Helper()
	s, err := command.Open(t.Context(), path, limits)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return &rig{s, path}
}

func newRig(t *testing.T, limits command.Limits) *rig {
	t.Helper()
	return open(t, filepath.Join(t.TempDir(), "commands.db"), limits)
}

func (r *rig) order(t *testing.T, device string, kind command.Kind, at int64) command.Command {
	t.Helper()
	c, created, err := r.Order(t.Context(), command.Command{Device: device, Kind: kind, By: "tk", At: at, Expires: at + hour})
	require.NoError(t, err)
	require.True(t, created)
	return c
}

func (r *rig) due(t *testing.T, now int64) (ids []string, next int64) {
	t.Helper()
	due, next, err := r.Due(t.Context(), now)
	require.NoError(t, err)
	for _, c := range due {
		ids = append(ids, c.ID)
	}
	return ids, next
}

func (r *rig) tried(t *testing.T, id string, now int64, reached bool) error {
	t.Helper()
	return r.Tried(t.Context(), []command.Try{{ID: id, At: now, Reached: reached}})
}

func (r *rig) answer(t *testing.T, now int64, answers []command.Answer) error {
	t.Helper()
	r.Answered(answers)
	return r.TakeIn(t.Context(), now)
}

func (r *rig) only(t *testing.T, device string) command.Command {
	t.Helper()
	list, err := r.List(t.Context(), device, 0, 10)
	require.NoError(t, err)
	require.Len(t, list, 1)
	return list[0]
}

func TestSentUntilAnsweredWithOneID(t *testing.T) {
	r := newRig(t, command.Limits{})
	a, b := r.order(t, "d1", command.Reboot, 1000), r.order(t, "d2", command.Time, 2000)
	ids, _ := r.due(t, 2000)
	require.Equal(t, []string{a.ID, b.ID}, ids)
	require.NoError(t, r.tried(t, a.ID, 2000, true))
	require.NoError(t, r.tried(t, b.ID, 2000, false)) // nobody was there
	ids, next := r.due(t, 2001)
	require.Empty(t, ids)
	require.EqualValues(t, 7000, next, "the one that nobody took")
	ids, _ = r.due(t, 22_000)
	require.Equal(t, []string{a.ID, b.ID}, ids)
	require.NoError(t, r.tried(t, a.ID, 22_000, true))
	ids, _ = r.due(t, 61_999)
	require.Equal(t, []string{b.ID}, ids, "twice as long the second time")
	ids, _ = r.due(t, 62_000)
	require.Contains(t, ids, a.ID)

	require.Equal(t, 2, r.only(t, "d1").Sends)
	require.NoError(t, r.answer(t, 63_000, []command.Answer{
		{Device: "d1", ID: a.ID, OK: true, Detail: "done"}, {Device: "d1", ID: b.ID, OK: true}, {Device: "d1", ID: "c-nobody", OK: true},
	}))
	require.Equal(t, command.Acknowledged, r.only(t, "d1").State)
	require.Equal(t, "done", r.only(t, "d1").Detail)
	require.EqualValues(t, 63_000, r.only(t, "d1").Answered)
	require.Equal(t, command.Queued, r.only(t, "d2").State, "another device's answer is none")
	require.EqualValues(t, 2, r.Counts().Unknown)
	// The same answer again, or another, changes nothing.
	require.NoError(t, r.answer(t, 64_000, []command.Answer{{Device: "d1", ID: a.ID, OK: false}}))
	require.Equal(t, command.Acknowledged, r.only(t, "d1").State)
	require.NoError(t, r.tried(t, a.ID, 65_000, true), "answered while it was sent")
	require.Equal(t, 2, r.only(t, "d1").Sends)
}

func TestTheSameIsOneWhileItIsOpen(t *testing.T) {
	r := newRig(t, command.Limits{})
	a := r.order(t, "d1", command.Reboot, 1000)
	again, created, err := r.Order(t.Context(), command.Command{Device: "d1", Kind: command.Reboot, By: "other", At: 2000, Expires: 9000})
	require.NoError(t, err)
	require.False(t, created)
	require.Equal(t, a.ID, again.ID)
	require.Equal(t, "tk", again.By)
	require.NoError(t, r.answer(t, 3000, []command.Answer{{Device: "d1", ID: a.ID, OK: true}}))
	require.NotEqual(t, a.ID, r.order(t, "d1", command.Reboot, 4000).ID)
}

func TestOpenOnesSurviveARestartAndExpire(t *testing.T) {
	r := newRig(t, command.Limits{})
	a := r.order(t, "d1", command.Tariff, 1000)
	require.NoError(t, r.tried(t, a.ID, 2000, true))
	require.NoError(t, r.Close())
	r = open(t, r.path, command.Limits{})
	require.Equal(t, 1, r.Counts().Sent)
	ids, _ := r.due(t, 30_000)
	require.Equal(t, []string{a.ID}, ids, "with the same id")
	ids, next := r.due(t, 1000+hour)
	require.Empty(t, ids)
	require.Zero(t, next)
	require.Equal(t, command.Expired, r.only(t, "d1").State)
	require.Contains(t, r.only(t, "d1").Detail, "did not answer")
	// It was done all the same: a late answer counts.
	require.NoError(t, r.answer(t, 2*hour, []command.Answer{{Device: "d1", ID: a.ID, OK: false, Detail: "no memory"}}))
	require.Equal(t, command.Failed, r.only(t, "d1").State)
	require.Equal(t, "no memory", r.only(t, "d1").Detail)
}

func (r *rig) hear(t *testing.T, now int64, spoke map[string]string) {
	t.Helper()
	r.Heard(maps.All(spoke))
	require.NoError(t, r.TakeIn(t.Context(), now))
}

func TestADeviceThatSpeaksIsToldAgain(t *testing.T) {
	r := newRig(t, command.Limits{})
	a := r.order(t, "d1", command.Reboot, 1000)
	require.NoError(t, r.tried(t, a.ID, 1000, true))
	<-r.Wake()
	r.hear(t, 12_000, map[string]string{"d9": "b"})
	require.Empty(t, r.Wake())
	ids, _ := r.due(t, 12_000)
	require.Empty(t, ids)
	r.hear(t, 12_000, map[string]string{"d1": "b", "d9": "b"})
	<-r.Wake()
	due, _, err := r.Due(t.Context(), 12_000)
	require.NoError(t, err)
	require.Equal(t, "b", due[0].Source)
	require.NoError(t, r.Tried(t.Context(), []command.Try{{ID: a.ID, At: 12_000, Why: "no way"}}))
	ids, next := r.due(t, 20_999)
	require.Empty(t, ids)
	require.EqualValues(t, 21_000, next, "it is tried again")
	r.due(t, 2*hour)
	require.Equal(t, command.Expired, r.only(t, "d1").State)
	require.Equal(t, "no way", r.only(t, "d1").Detail)
}

// One that speaks all the time and answers nothing is told at the usual waits
// after a few times.
func TestADeviceThatNeverAnswersIsNotToldForEver(t *testing.T) {
	r := newRig(t, command.Limits{})
	a := r.order(t, "d1", command.Reboot, 0)
	sends := 0
	for now := int64(0); now < hour; now += 1000 {
		r.hear(t, now, map[string]string{"d1": "b"})
		ids, _ := r.due(t, now)
		for range ids {
			sends++
			require.NoError(t, r.tried(t, a.ID, now, true))
		}
	}
	require.LessOrEqual(t, sends, 12, "of 360 chances")
	require.Greater(t, sends, 8)
}

// What comes in waits for no disk: an order holds the store meanwhile.
func TestTheIntakeDoesNotWaitForTheDisk(t *testing.T) {
	r := newRig(t, command.Limits{})
	a := r.order(t, "d1", command.Reboot, 0)
	db, err := sql.Open("sqlite", r.path)
	require.NoError(t, err)
	defer db.Close()
	_, err = db.ExecContext(t.Context(), "BEGIN IMMEDIATE") // of another: the store's own next write waits
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ordered := make(chan error, 1)
	go func() {
		_, _, err := r.Order(ctx, command.Command{Device: "d2", Kind: command.Time, At: 1, Expires: hour})
		ordered <- err
	}()
	for range 1000 {
		r.Heard(maps.All(map[string]string{"d1": "b"}))
		r.Answered([]command.Answer{{Device: "d1", ID: "c-invented", OK: true}, {Device: "d2", ID: a.ID, OK: true}})
	}
	require.Empty(t, ordered, "it still waits")
	stop()
	require.Error(t, <-ordered)
	require.EqualValues(t, 2*(1000-16), r.Counts().Dropped, "of each device as many as it remembers")
}

func TestBounds(t *testing.T) {
	r := newRig(t, command.Limits{PerDevice: 2, Open: 3, Kept: 2})
	conflict := func(device string, kind command.Kind) {
		t.Helper()
		_, _, err := r.Order(t.Context(), command.Command{Device: device, Kind: kind, At: 5, Expires: hour})
		require.Equal(t, city.KindConflict, city.KindOf(err), err)
	}
	r.order(t, "d1", command.Time, 1)
	r.order(t, "d1", command.Reboot, 1)
	conflict("d1", command.Tariff)
	r.order(t, "d2", command.Time, 1)
	conflict("d3", command.Time)
	_, _, err := r.Order(t.Context(), command.Command{Device: "d2", Kind: command.Tariff, Args: make([]byte, command.MaxArgs+1), At: 5, Expires: hour})
	require.Equal(t, city.KindUnprocessed, city.KindOf(err))
	for at := 10 * hour; at < 20*hour; at += 2 * hour {
		r.due(t, at)
		r.order(t, "d1", command.Time, at)
	}
	list, err := r.List(t.Context(), "d1", 0, 100)
	require.NoError(t, err)
	require.Len(t, list, 3, "one is open, two are told that are over")
	require.Greater(t, list[0].No, list[1].No)
	page, err := r.List(t.Context(), "d1", list[0].No, 1)
	require.NoError(t, err)
	require.Equal(t, list[1].ID, page[0].ID)
}

func TestWhatADeviceIsTold(t *testing.T) {
	zone := time.FixedZone("WIB", 7*3600)
	c := command.Command{ID: "c-1", Kind: command.Tariff, Args: []byte(`{"a":"<&"}`), At: 0, Expires: 60_000}
	require.JSONEq(t, `{"v":1,"id":"c-1","cmd":"tariff","at":"1970-01-01T07:00:00.000+07:00","expires_at":"1970-01-01T07:01:00.000+07:00",
		"sent_at":"1970-01-01T07:00:30.500+07:00","args":{"a":"<&"}}`, string(c.Payload(30_500, zone)))
	require.EqualValues(t, 1, c.QoS())
	c.Kind, c.Args = command.Time, nil
	require.Zero(t, c.QoS(), "a time that waited is wrong")
	var told map[string]any
	require.NoError(t, json.Unmarshal(c.Payload(0, zone), &told))
	require.NotContains(t, told, "args")
}

// What was ordered last is what a device does last, whatever was open before.
func TestANewerOneReplacesTheOlder(t *testing.T) {
	r := newRig(t, command.Limits{PerDevice: 2})
	order := func(table string, at int64) (command.Command, bool) {
		t.Helper()
		c, created, err := r.Order(t.Context(), command.Command{Device: "m1", Kind: command.Tariff, Args: []byte(table), At: at, Expires: at + hour})
		require.NoError(t, err)
		return c, created
	}
	reboot := r.order(t, "m1", command.Reboot, 500)
	other := r.order(t, "m2", command.Tariff, 500)
	a, _ := order("A", 1000)
	require.NoError(t, r.tried(t, a.ID, 1000, true))
	b, _ := order("B", 2000)
	ids, _ := r.due(t, 60_000)
	require.Equal(t, []string{reboot.ID, other.ID, b.ID}, ids, "the older table is not sent again")
	again, created := order("A", 3000)
	require.True(t, created, "A, B, A: the device is to end with A")
	same, created := order("A", 4000)
	require.False(t, created)
	require.Equal(t, again.ID, same.ID)
	require.NoError(t, r.answer(t, 5000, []command.Answer{{Device: "m1", ID: a.ID, OK: true}}))
	require.NoError(t, r.Close())
	r = open(t, r.path, command.Limits{})
	ids, _ = r.due(t, 60_000)
	require.Equal(t, []string{reboot.ID, other.ID, again.ID}, ids)
	list, err := r.List(t.Context(), "m1", 0, 10)
	require.NoError(t, err)
	require.Len(t, list, 4)
	require.Equal(t, "replaced by "+again.ID, list[1].Detail)
	require.Equal(t, "replaced by "+b.ID, list[2].Detail)
	require.Equal(t, command.Failed, list[2].State)
}
