package send_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/firmware-sim/send"
)

// What is read and written again reads the same.
func FuzzReadCredentials(f *testing.F) {
	f.Add("# made by simpang\n\ndev-1:a:b\r\nbridge:c\n")
	f.Add("a:b\na:c")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := send.ReadCredentials(strings.NewReader(text))
		if err != nil {
			return
		}
		var again strings.Builder
		for name, secret := range c {
			again.WriteString(name + ":" + secret + "\n")
		}
		back, err := send.ReadCredentials(strings.NewReader(again.String()))
		require.NoError(t, err)
		require.Equal(t, c, back)
	})
}
