package endtoend_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestAnAcknowledgementSurvivesTheKill: what was answered with 200 is there after
// kill -9, though the incident itself was in memory only, and twice is once.
func TestAnAcknowledgementSurvivesTheKill(t *testing.T) {
	g, _, p := referenceCity(t)
	g.login()
	for seq, amount := range []int{4000, 9000} {
		p.up("meter-alun-alun-1-1", fmt.Sprintf(`{"kind":"receipt","boot":900,"seq":%d,"at":%q,"receipt":"K-1","amount":%d,"method":"cash","class":"car"}`,
			seq+1, time.Now().Format(time.RFC3339), amount))
	}
	type anomaly struct {
		ID    string  `json:"id"`
		State string  `json:"state"`
		By    *string `json:"acknowledged_by"`
		Note  *string `json:"note"`
	}
	const path = "/v1/anomalies?rule=receipt_doubled"
	g.until("the doubled number is told", func() bool { return len(list[anomaly](g, path)) == 1 })
	ack := "/v1/anomalies/" + list[anomaly](g, path)[0].ID + "/ack"
	_, status := g.tryPost(t, ack, `{"note":"seen"}`)
	g.kill()
	require.Equal(t, http.StatusOK, status)

	g.start()
	g.level()
	acked := list[anomaly](g, path)
	require.Len(t, acked, 1)
	require.Equal(t, "acknowledged", acked[0].State)
	require.Equal(t, "seen", *acked[0].Note)
	_, status = g.tryPost(t, ack, `{"note":"again"}`)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, acked, list[anomaly](g, path))
}
