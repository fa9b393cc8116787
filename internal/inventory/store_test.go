package inventory_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/inventory"
)

func TestStore(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data", "inventory")
	store, err := inventory.OpenStore(dir)
	require.NoError(t, err)
	v, _, err := inventory.Load("testdata/good/spreadsheet", jakarta(t))
	require.NoError(t, err)
	require.NoError(t, store.Save(v))
	require.NoError(t, store.Save(v), "again is no harm")
	kept, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, kept, len(v.Files), "nothing temporary stays")

	store, err = inventory.OpenStore(dir)
	require.NoError(t, err)
	again, err := store.Load(v.FileHashes(), jakarta(t))
	require.NoError(t, err)
	require.Equal(t, v.Hash, again.Hash)
	require.Equal(t, dump(t, v), dump(t, again))

	hashes := v.FileHashes()
	path := filepath.Join(dir, hashes[0].SHA256)
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	data[len(data)/2] ^= 1
	require.NoError(t, os.WriteFile(path, data, 0o600))
	_, err = store.Load(hashes, jakarta(t))
	require.ErrorContains(t, err, hashes[0].Name+" is damaged")
	require.Error(t, store.Check(hashes))
	require.NoError(t, store.Save(v), "a damaged file is written anew")
	require.NoError(t, store.Check(hashes))

	require.NoError(t, os.Remove(path))
	_, err = store.Load(hashes, jakarta(t))
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = store.Load([]inventory.NamedHash{{Name: "sites.geojson", SHA256: "../../etc/passwd"}}, jakarta(t))
	require.ErrorContains(t, err, "has no SHA-256")
}

// TestStoreLoadsWhatWasAccepted reads a version that a newer program would
// refuse: it was accepted once, and the journal names it for ever.
func TestStoreLoadsWhatWasAccepted(t *testing.T) {
	t.Parallel()
	store, err := inventory.OpenStore(t.TempDir())
	require.NoError(t, err)
	files, err := inventory.ReadDir("testdata/good/site-alone")
	require.NoError(t, err)
	files["operators.csv"] = []byte("id,name,colour\nop-1,Satu,red\n")
	old := &inventory.Version{Files: files}
	require.NoError(t, store.Save(old))
	v, err := store.Load(old.FileHashes(), jakarta(t))
	require.NoError(t, err)
	require.NotNil(t, v.Site("S-1"))
	require.NotNil(t, v.PKJI)
}

func TestStoreConcurrently(t *testing.T) {
	t.Parallel()
	store, err := inventory.OpenStore(t.TempDir())
	require.NoError(t, err)
	v, _, err := inventory.Load("testdata/good/spreadsheet", jakarta(t))
	require.NoError(t, err)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := store.Save(v); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.NoError(t, store.Check(v.FileHashes()))
}

func TestStoreNotWritable(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := inventory.OpenStore(filepath.Join(file, "inventory"))
	require.Error(t, err)
}
