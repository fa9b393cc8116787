package app

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOnlyWhatTheProgramsFileHasIsGivenBack(t *testing.T) {
	program, err := os.Executable()
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "maps")
	text := fmt.Sprintf("00400000-00500000 r-xp 00000000 fe:00 1   %[1]s\nRss: 900 kB\nAnonymous:             0 kB\n"+
		"00500000-00600000 r--p 00100000 fe:00 1   %[1]s\nAnonymous:             0 kB\n"+
		"00600000-00700000 r--p 00100000 fe:00 1   %[1]s\nAnonymous:             4 kB\n"+ // relocated
		"00700000-00800000 rw-p 00200000 fe:00 1   %[1]s\nAnonymous:             0 kB\n"+
		"7f00-7f01 r--s 00000000 fe:00 2   /data/x.db-shm\nAnonymous:             0 kB\nc000000000-c000400000 rw-p 00000000 00:00 0 \nAnonymous:             0 kB\n", program)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	require.Equal(t, []mapped{{0x400000, 0x500000}, {0x500000, 0x600000}}, programMaps(path))
	require.Empty(t, programMaps(path+"-not-there"))
	require.NotEmpty(t, programMaps(mapsFile))
	forgetStart() // and the test goes on
	require.NotEmpty(t, programMaps(mapsFile))
}
