package truth_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/firmware-sim/truth"
)

// A line that is read can be written, and reads the same.
func FuzzRead(f *testing.F) {
	f.Add(`{"what":"delivered","device":"d","boot":2,"seq":7,"at":5,"reading":{"kind":"spot"}}` + "\n")
	f.Add(`{"what":"payment","amount":0,"method":"free","class":"car","void":true}` + "\n{}\n{")
	f.Fuzz(func(t *testing.T, text string) {
		_ = truth.Read(strings.NewReader(text), func(l truth.Line) error { // faulty files are refused
			once, err := json.Marshal(l)
			require.NoError(t, err)
			return truth.Read(strings.NewReader(string(once)+"\n"), func(again truth.Line) error {
				twice, err := json.Marshal(again)
				require.NoError(t, err)
				require.Equal(t, string(once), string(twice))
				return nil
			})
		})
	})
}
