package broker

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAsManyClientsAsTheLimitOfOpenFilesServes(t *testing.T) {
	require.Equal(t, 18_000, clientsFor(20_000))
	require.Equal(t, 512, clientsFor(1024))
	require.Equal(t, 100_000, clientsFor(1<<30))
	var o Options
	o.fill()
	require.Equal(t, clientsFor(OpenFiles()), o.MaxClients)
	require.GreaterOrEqual(t, o.MaxSessions, o.MaxClients)
}
