package app_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestReportsOfARunningGateway lets a vehicle stay and pay, and reads what the
// reports make of it. Hours of which nothing was heard are told, not guessed.
func TestReportsOfARunningGateway(t *testing.T) {
	defer http.DefaultClient.CloseIdleConnections()
	dir := newDir(t)
	writeFiles(t, dir, map[string]string{
		"inventory/sites.geojson": `{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"Point","coordinates":[107.0,-6.24]},
"properties":{"id":"s1","name":"Satu","kind":"on_street","kecamatan":"Bekasi Timur","levy":"street","operator":"op-1","tariff":"t","detection":"spots","capacity":{"car":1}}}]}`,
		"inventory/devices.csv":   "id,kind,site,spot,interval_s\nd1,spot,s1,1,600\nm1,meter,s1,,300\n",
		"inventory/operators.csv": "id,name,npwpd\nop-1,Satu,P.1\n",
		"inventory/accounts.csv":  "account,name,levy,agency,rate,share,from\n4.1.02.01.04.0001,Tepi Jalan,street,dishub,,,\n",
		"inventory/tariffs.yaml":  "tariffs:\n- {id: t, name: t, versions: [{from: 2020-01-01, legal_basis: t, classes: {car: {flat: 4000}}}]}\n",
	})
	r := start(t, dir)
	admin := r.admin()
	left := time.Now().Add(-2 * time.Minute)
	at := func(d time.Duration) string { return left.Add(d).Format(time.RFC3339) }
	r.publish("d1", fmt.Sprintf(`[{"kind":"spot","boot":1,"seq":1,"at":%q,"occupied":false},{"kind":"spot","boot":1,"seq":2,"at":%q,"occupied":true},{"kind":"spot","boot":1,"seq":3,"at":%q,"occupied":false}]`,
		at(-11*time.Minute), at(-10*time.Minute), at(0)))
	r.publish("m1", fmt.Sprintf(`{"kind":"receipt","boot":1,"seq":1,"at":%q,"receipt":"A-1","amount":3000,"method":"cash","class":"car"}`, at(0)))
	date := left.In(r.cfg.City.Zone).Format(time.DateOnly)
	var day struct {
		Items []struct {
			Site     string
			Recorded int64
			Due      int64
			Expected *struct{}
			Unknown  string `json:"expected_unknown"`
			Leak2    string `json:"leak_2_state"`
			Evidence struct {
				Stays  int
				Sample []struct{ Amount int64 }
				Gaps   []struct{ Known float64 }
			}
		}
	}
	r.until("the stay and the receipt are there", func() bool {
		return r.get("/v1/revenue/reconciliation?date="+date, admin, &day) == http.StatusOK && day.Items[0].Recorded == 3000 && day.Items[0].Evidence.Stays == 1
	})
	one := day.Items[0]
	require.Equal(t, "s1", one.Site)
	require.EqualValues(t, 3000, one.Due)
	require.Equal(t, "not_yet_due", one.Leak2, "it is paid by the next day")
	require.EqualValues(t, 4000, one.Evidence.Sample[0].Amount)
	if left.In(r.cfg.City.Zone).Hour() > 0 { // else there is hardly a blind hour
		require.Nil(t, one.Expected)
		require.Equal(t, "no_days", one.Unknown)
		require.NotEmpty(t, one.Evidence.Gaps)
	}
	var statement struct {
		Name  string
		Other []struct{ Gross int64 }
	}
	require.Equal(t, http.StatusOK, r.get("/v1/revenue/statements/op-1?month="+date[:7], admin, &statement))
	require.Equal(t, "Satu", statement.Name)
	require.EqualValues(t, 3000, statement.Other[0].Gross)
	require.Equal(t, http.StatusNotFound, r.get("/v1/revenue/statements/op-2?month="+date[:7], admin, nil))
	var year struct {
		Items []struct{ Recorded int64 }
	}
	require.Equal(t, http.StatusOK, r.get("/v1/revenue/realisasi?by=year&year="+date[:4], admin, &year))
	require.EqualValues(t, 3000, year.Items[0].Recorded)

	// Karcis that are sold beyond what the meter printed are recorded too.
	line := `{"reference":%q,"state":%q,"series":"A","first":1,"last":%d,"class":"car","price":2000,"site":"s1","date":%q}`
	status, answer := r.post("/v1/revenue/karcis", admin, "application/json", "["+fmt.Sprintf(line, "k-1", "issued", 100, date)+","+fmt.Sprintf(line, "k-2", "sold", 5, date)+"]")
	require.Equal(t, http.StatusCreated, status, answer)
	var sold struct {
		Items []struct {
			Recorded int64
			Karcis   int64 `json:"recorded_karcis"`
			Due      int64
			Evidence struct {
				Sold   int64 `json:"karcis_sold"`
				Karcis []struct{ Series string }
			}
		}
	}
	require.Equal(t, http.StatusOK, r.get("/v1/revenue/reconciliation?date="+date, admin, &sold))
	require.EqualValues(t, 10_000, sold.Items[0].Recorded)
	require.EqualValues(t, 7000, sold.Items[0].Karcis)
	require.EqualValues(t, 10_000, sold.Items[0].Due)
	require.EqualValues(t, 10_000, sold.Items[0].Evidence.Sold)
	require.Equal(t, "A", sold.Items[0].Evidence.Karcis[0].Series)
	var summary struct{ Accounts []struct{ Recorded int64 } }
	require.Equal(t, http.StatusOK, r.get("/v1/revenue/summary?year="+date[:4], "", &summary))
	require.EqualValues(t, 10_000, summary.Accounts[0].Recorded)
	require.NoError(t, r.stop())
}
