package config_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/config"
)

func TestChanged(t *testing.T) {
	running := &config.Config{DataDir: "a", Sources: []config.Source{{ID: "one", Type: "broker"}, {ID: "two", Type: "mqtt"}}}
	fresh := &config.Config{DataDir: "a", Sources: []config.Source{{ID: "three", Type: "serial"}, {ID: "one", Type: "broker"}}}
	require.Empty(t, config.Changed(running, running))
	require.Equal(t, []string{"sources.three", "sources.two"}, config.Changed(running, fresh))
	fresh.HTTP.Listen = ":1"
	require.Contains(t, config.Changed(running, fresh), "http")
}
