package complaint

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkMonev asks for a month of a register of 100,000 complaints, of a year
// and all of that month.
func BenchmarkMonev(b *testing.B) {
	const n = 100_000
	for _, days := range []int64{365, 30} {
		r := fresh(b, Options{})
		for i := int64(0); i < n; {
			require.NoError(b, r.change(b.Context(), at(1, 0), func(x *change) error {
				for until := i + 5000; i < until; i++ {
					x.now = at(1, 0) + days*86_400_000*i/n
					rec := &record{Complaint: Complaint{
						Source: SourceCitizen, Service: "illegal_parking", Agency: []string{"dishub", "bapenda"}[i%2], Kecamatan: "Bekasi Timur", Public: true,
						Description: "Diminta Rp 5.000 untuk sepeda motor, tanpa karcis, di depan pintu masuk.",
					}}
					if err := x.number(rec); err != nil {
						return err
					}
					rules := rulesOf(x.v, rec.Service)
					rec.receive(x.now, rules)
					if i%50 != 0 {
						rec.move(StateVerified, x.now+3_600_000, rules)
						rec.move(StateAnswered, x.now+86_400_000, rules)
						rec.move(StateClosed, x.now+2*86_400_000, rules)
					}
					if err := x.put(rec); err != nil {
						return err
					}
				}
				return nil
			}))
		}
		for _, month := range []int{0, 10}[:1+days/365] {
			b.Run(fmt.Sprintf("%d days, month %d", days, month), func(b *testing.B) {
				q := MonevQuery{From: at(1+30*month, 0), To: at(31+30*month, 0), Now: at(366, 0)}
				for b.Loop() {
					begin := time.Now()
					_, err := r.Monev(b.Context(), q)
					require.NoError(b, err)
					b.ReportMetric(float64(time.Since(begin).Milliseconds()), "ms")
				}
			})
		}
	}
}
