package native_test

import (
	"encoding/json"
	"testing"
	"time"

	goccy "github.com/goccy/go-json"

	"github.com/simpang-id/simpang/internal/wire/native"
)

var benched = map[string]string{
	"spot":    `{"kind":"spot","boot":3,"seq":41872,"at":"2026-03-02T08:15:00.123+07:00","occupied":true,"battery_v":3.61}`,
	"traffic": `{"kind":"traffic","boot":3,"seq":41872,"at":"2026-03-02T08:15:00+07:00","period_s":60,"lanes":[{"lane":1,"counts":{"SM":41,"KR":18,"KB":2,"KTB":0},"speed_kmh":31.4,"occupancy_pct":12.5},{"lane":2,"counts":{"SM":20,"KR":25,"KB":1,"KTB":0},"speed_kmh":38.2}]}`,
	"receipt": `{"kind":"receipt","boot":3,"seq":41872,"at":"2026-03-02T08:15:00+07:00","receipt":"JUA-000123","amount":5000,"method":"qris","class":"car","entered_at":"2026-03-02T07:01:00+07:00","left_at":"2026-03-02T08:15:00+07:00","total_count":123,"total_amount":512000}`,
}

func BenchmarkDecode(b *testing.B) {
	for _, name := range []string{"spot", "traffic", "receipt"} {
		payload := []byte(benched[name])
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if d := native.Decode("spot-a017", payload); len(d.Readings) != 1 {
					b.Fatal(d.Refused)
				}
			}
		})
	}
}

// spotStruct is the least that a library's decoder would have to fill; it
// neither counts unknown members nor names a faulty one.
type spotStruct struct {
	Kind     *string    `json:"kind"`
	Seq      *uint64    `json:"seq"`
	Boot     *uint64    `json:"boot"`
	At       *time.Time `json:"at"`
	Occupied *bool      `json:"occupied"`
	Battery  *float64   `json:"battery_v"`
}

// BenchmarkCandidates is what the scanner was chosen against.
func BenchmarkCandidates(b *testing.B) {
	payload := []byte(benched["spot"])
	for name, decode := range map[string]func([]byte, any) error{
		"encoding/json": func(p []byte, v any) error { return json.Unmarshal(p, v) },
		"goccy/go-json": func(p []byte, v any) error { return goccy.Unmarshal(p, v) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var v spotStruct
				if err := decode(payload, &v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
