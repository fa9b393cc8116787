package app_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

type anomalyTold struct {
	ID    string  `json:"id"`
	Rule  string  `json:"rule"`
	State string  `json:"state"`
	By    *string `json:"acknowledged_by"`
}

func (r *running) anomalies(bearer string) []anomalyTold {
	var list struct {
		Items []anomalyTold `json:"items"`
	}
	require.Equal(r.t, http.StatusOK, r.get("/v1/anomalies", bearer, &list))
	return list.Items
}

// TestAnAnomalyIsFoundAndAcknowledged: from the meter's second paper of one
// number over a person's word to a backup that has both.
func TestAnAnomalyIsFoundAndAcknowledged(t *testing.T) {
	defer http.DefaultClient.CloseIdleConnections()
	dir := newDir(t)
	writeFiles(t, dir, storeFiles)
	r := start(t, dir)
	admin := r.admin()
	for seq, amount := range []int{5000, 5000, 9000} { // a receipt, its reprint, another one of the same number
		r.publish("m1", fmt.Sprintf(`{"kind":"receipt","boot":1,"seq":%d,"at":%q,"receipt":"A-1","amount":%d,"method":"cash","class":"car"}`,
			seq+1, time.Now().Format(time.RFC3339), amount))
	}
	r.until("the doubled number is told", func() bool { return len(r.anomalies(admin)) == 1 })
	found := r.anomalies(admin)[0]
	require.Equal(t, "receipt_doubled", found.Rule)
	require.Equal(t, "open", found.State)
	require.InDelta(t, 1, r.value("simpang_anomalies_standing"), 0)

	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+r.at.HTTP+"/v1/anomalies/"+found.ID+"/ack", strings.NewReader(`{"note":"seen"}`))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+admin)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)
	acked := r.anomalies(admin)
	require.Equal(t, "acknowledged", acked[0].State)
	r.caughtUp()
	to := filepath.Join(t.TempDir(), "backup")
	require.NoError(t, take(t, r.cfg, to))
	require.NoError(t, r.stop())

	fresh := other(t)
	require.NoError(t, restore(t, fresh, to))
	for _, where := range []string{dir, fresh} {
		r = start(t, where)
		require.Equal(t, acked, r.anomalies(admin), where)
		require.NoError(t, r.stop())
	}
}
