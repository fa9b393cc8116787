package native_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/wire/native"
)

func TestIs(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		`{"kind":"spot"}`: true,
		`[{"seq":1,"x":{"a":[1]},"kind":"spot"},{}]`: true,
		`{"kind"`:                            true,
		`{"seq":1}`:                          false,
		`{"end_device_ids":{"kind":"spot"}}`: false,
		`{"deduplicationId":"x","object":{"kind":"a"}}`: false,
		`[{"bn":"urn:dev:a","n":"occupied","vb":true}]`: false,
		`[[{"kind":"spot"}]]`:                           false,
		`"kind"`:                                        false,
		``:                                              false,
	} {
		require.Equal(t, want, native.Is([]byte(text)), text)
	}
}

func FuzzIs(f *testing.F) {
	f.Add([]byte(`[{"seq":1,"kind":"spot"}]`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		if d := native.Decode("d", payload); len(d.Readings) > 0 && len(d.Refused) == 0 {
			require.True(t, native.Is(payload), "what is read is of this format")
		}
	})
}
