package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/api/apitest"
	"github.com/simpang-id/simpang/internal/command"
	"github.com/simpang-id/simpang/internal/token"
)

func (st *stage) orderFor(t *testing.T, role token.Role, device, body string) answer {
	t.Helper()
	return st.do(t, http.MethodPost, "/v1/devices/"+device+"/commands", st.Secrets[role], body)
}

func TestCommands(t *testing.T) {
	st := newStage(t)
	a := st.orderFor(t, token.Dishub, "spot-1", `{"cmd":"reboot","expires_s":60}`)
	require.Equal(t, http.StatusCreated, a.StatusCode, a.body)
	var c struct{ ID, State, At, By string }
	require.NoError(t, json.Unmarshal([]byte(a.body), &c))
	require.Equal(t, "queued", c.State)
	require.NotEmpty(t, c.By)
	again := st.orderFor(t, token.Admin, "spot-1", `{"cmd":"reboot"}`)
	require.Equal(t, http.StatusOK, again.StatusCode, "the same while one is open")
	require.Contains(t, again.body, c.ID)
	require.Equal(t, http.StatusCreated, st.orderFor(t, token.Dishub, "spot-1", `{"cmd":"time"}`).StatusCode)

	st.Commands.Answered([]command.Answer{{Device: "spot-1", ID: c.ID, OK: true, Detail: "=boots"}})
	require.NoError(t, st.Commands.TakeIn(t.Context(), st.Clock.Now().UnixMilli()))
	list := st.as(t, token.Dishub, "/v1/devices/spot-1/commands?limit=1")
	require.Contains(t, list.body, `"cmd":"time"`)
	var page struct{ Next string }
	require.NoError(t, json.Unmarshal([]byte(list.body), &page))
	list = st.as(t, token.Dishub, "/v1/devices/spot-1/commands?limit=1&cursor="+page.Next)
	require.Contains(t, list.body, `"state":"acknowledged"`)
	require.Contains(t, list.body, `"next":null`)
	require.Contains(t, st.as(t, token.Admin, "/v1/devices/spot-1/commands?format=csv").body, ",'=boots,")
}

func TestCommandsRefused(t *testing.T) {
	st := newStage(t)
	for body, status := range map[string]int{
		`{"cmd":"dance"}`:                      http.StatusUnprocessableEntity,
		`{"cmd":"time","expires_s":5}`:         http.StatusUnprocessableEntity,
		`{"cmd":"time","expires_s":999999999}`: http.StatusUnprocessableEntity,
		`{"cmd":"time","args":{}}`:             http.StatusBadRequest,
		`{"Cmd":"time"}`:                       http.StatusBadRequest,
		`{"cmd":"tariff"}`:                     http.StatusUnprocessableEntity, // a spot sensor
	} {
		st.orderFor(t, token.Admin, "spot-1", body).problem(t, status)
	}
	st.orderFor(t, token.Admin, "nobody", `{"cmd":"time"}`).problem(t, http.StatusNotFound)
	st.orderFor(t, token.Dishub, "meter-1", `{"cmd":"tariff"}`).problem(t, http.StatusForbidden)
	st.orderFor(t, token.Bapenda, "spot-1", `{"cmd":"time"}`).problem(t, http.StatusForbidden)
	st.do(t, http.MethodGet, "/v1/devices/spot-1/commands?cursor=x", st.Secrets[token.Admin], "").problem(t, http.StatusBadRequest)
	for i := range 8 {
		_, _, err := st.Commands.Order(t.Context(), command.Command{Device: "spot-1", Kind: command.Kind(fmt.Sprint("kind-", i)), At: 1, Expires: 1 << 60})
		require.NoError(t, err)
	}
	st.orderFor(t, token.Admin, "spot-1", `{"cmd":"time"}`).problem(t, http.StatusConflict)
}

func TestAMeterIsToldItsTariff(t *testing.T) {
	st := newStage(t)
	a := st.orderFor(t, token.Admin, "meter-1", `{"cmd":"tariff"}`)
	require.Equal(t, http.StatusCreated, a.StatusCode, a.body)
	due, _, err := st.Commands.Due(t.Context(), st.Clock.Now().UnixMilli())
	require.NoError(t, err)
	require.Len(t, due, 1)
	told := string(due[0].Payload(due[0].At, apitest.Zone))
	require.True(t, json.Valid([]byte(told)))
	site := st.Version.Site(st.Version.Device("meter-1").Site)
	require.Contains(t, told, `"args":{"tariff":"`+site.Tariff+`"`)
	require.Contains(t, told, `"versions":[{"id":"`+site.Tariff+`@`)
	require.Less(t, strings.Count(told, "\n"), 1)
	require.EqualValues(t, 24*time.Hour/time.Millisecond, due[0].Expires-due[0].At)
}
