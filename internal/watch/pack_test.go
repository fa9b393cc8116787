package watch

import (
	"encoding/binary"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
)

// storedState is the state as encoding/binary wrote it, field by field, before
// append did.
type storedState struct {
	Heard                 int64
	Boot, Seq             uint64
	Booted, Seen          bool
	Event                 int64
	Expected, Events, Due float32
	Value                 uint64
	Same                  uint16
	Occupied              int64
	Flaps, Boots          float32
	At                    int64
	Got, Lost             float32
	Holed, Lag            int64
	LagN                  uint16
	LagFrom, Skew         int64
	Battery               float32
	Said                  uint32
	LastAt                int64
	Outs                  float32
}

// TestTheStoredStateIsTheSame: what older programs wrote is read, and they read
// what is written.
func TestTheStoredStateIsTheSame(t *testing.T) {
	require.Equal(t, stateSize, binary.Size(storedState{}))
	dice := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		var old storedState
		fields := reflect.ValueOf(&old).Elem()
		for _, v := range fields.Fields() {
			switch v.Kind() {
			case reflect.Bool:
				v.SetBool(dice.IntN(2) == 1)
			case reflect.Float32:
				v.SetFloat(dice.Float64() * 1000)
			case reflect.Int64:
				v.SetInt(int64(dice.Uint64()))
			default:
				v.SetUint(dice.Uint64() >> (64 - v.Type().Bits()))
			}
		}
		data, err := binary.Append(nil, binary.LittleEndian, &old)
		require.NoError(t, err)
		var now gadgetState
		now.read(data)
		have := reflect.ValueOf(now)
		require.Equal(t, fields.NumField(), have.NumField())
		for field, v := range fields.Fields() {
			require.Equal(t, v.Interface(), have.FieldByName(field.Name).Interface(), field.Name)
		}
		require.Equal(t, data, now.append(nil))
	}
	var short gadgetState
	short.read([]byte{1})
	require.Equal(t, gadgetState{Heard: 1}, short, "what an older program did not know is zero")
}

func FuzzPack(f *testing.F) {
	f.Add(encodePack(nil, []*gadget{{id: "a", source: "mqtt", gadgetState: gadgetState{Seq: 7, Flaps: 1.5}}, nil, {id: "b"}}))
	f.Add([]byte{0, 0, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := decodePack(data)
		if err != nil {
			return
		}
		again := encodePack(nil, list)
		other, err := decodePack(again)
		require.NoError(t, err)
		require.Equal(t, again, encodePack(nil, other))
		require.Len(t, other, len(list))
	})
}
