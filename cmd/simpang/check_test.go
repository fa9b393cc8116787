package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheckTellsConfigurationAndInventoryAtOnce(t *testing.T) {
	file := configFile(t)
	code, stdout, stderr := simpang(t, "check", "-config", file)
	require.Equal(t, exitDone, code, stderr)
	require.Contains(t, stdout, "are sound")

	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, append(text, "colour: red\nlog: {level: loud}\n"...), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(file), "inventory", "devices.csv"), []byte("id,kind,site,spot\nd1,lamp,s1,1\n"), 0o600))
	code, stdout, stderr = simpang(t, "check", "-config", file)
	require.Equal(t, exitUsage, code)
	require.Empty(t, stdout)
	for _, fault := range []string{"simpang.yaml:5: unknown key colour", "simpang.yaml:6: log.level", "devices.csv:2: "} {
		require.Contains(t, stderr, fault)
	}
}
