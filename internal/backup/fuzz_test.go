package backup

import (
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzManifest: what is read, its hash being right, names files below the
// backup's folder only, and comes back as it was; a hash that is not right is
// never believed.
func FuzzManifest(f *testing.F) {
	whole, err := (&Manifest{Format: format, Version: "v1", City: "bekasi", Head: 17, Files: []File{
		{Path: "data/journal/2026-11-26.db", Bytes: 4096, SHA256: "ab"}, {Path: "outside/0", Bytes: 1, SHA256: "cd", Origin: "/etc/simpang/simpang.yaml"},
	}}).encode()
	require.NoError(f, err)
	body := whole[:len(whole)-sha256.Size*2-2]
	for _, text := range [][]byte{body, whole, nil, []byte("{}"), []byte(`{"format":1,"files":[{"path":"../x"}]}`), []byte(`{"format":1,"files":[{"path":"/x"}]}`), []byte(`{"format":2}`)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if m, err := parse("m", text); err == nil {
			require.Equal(t, fmt.Sprintf("%x\n", sha256.Sum256(text[:len(text)-sha256.Size*2-2])), string(text[len(text)-sha256.Size*2-1:]))
			require.NotNil(t, m)
		}
		m, err := parse("m", fmt.Appendf(nil, "%s\n%x\n", text, sha256.Sum256(text)))
		if err != nil {
			return
		}
		require.Equal(t, format, m.Format)
		for _, file := range m.Files {
			require.True(t, filepath.IsLocal(filepath.FromSlash(file.Path)), file.Path)
		}
		again, err := m.encode()
		if err != nil {
			return // a time that JSON has no year for
		}
		same, err := parse("m", again)
		require.NoError(t, err)
		require.Equal(t, m.Files, same.Files)
	})
}
