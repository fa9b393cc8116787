package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/proof"
)

func TestKeygen(t *testing.T) {
	file := configFile(t)
	code, stdout, stderr := simpang(t, "keygen", "-config", file, "-public")
	require.Equal(t, exitFailed, code)
	require.Contains(t, stderr, "no signing key")
	require.Empty(t, stdout)
	code, stdout, stderr = simpang(t, "keygen", "-config", file)
	require.Equal(t, exitDone, code, stderr)
	_, err := proof.ParsePublicKey(stdout)
	require.NoError(t, err, "the public key, alone")
	require.Equal(t, 1, strings.Count(stdout, "\n"))
	path := filepath.Join(filepath.Dir(file), "data", "keys", "books.key")
	made, err := os.ReadFile(path)
	require.NoError(t, err)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())

	code, again, stderr := simpang(t, "keygen", "-config", file)
	require.Equal(t, exitFailed, code)
	require.Contains(t, stderr, "not replaced")
	require.Empty(t, again)
	left, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, made, left)
	code, again, _ = simpang(t, "keygen", "-config", file, "-public")
	require.Equal(t, exitDone, code)
	require.Equal(t, stdout, again)
}

// A bundle is checked in a fresh folder by a program that has the public key
// alone.
func TestABundleIsCheckedAlone(t *testing.T) {
	tree, err := proof.OpenTree(0, nil)
	require.NoError(t, err)
	data := [][]byte{{9, 1, 1}, {9, 1, 2}, {9, 1, 3}}
	for _, d := range data {
		tree.Append(proof.LeafHash(d))
	}
	tiles := tree.Changed()
	key, err := proof.NewKey("simpang/test")
	require.NoError(t, err)
	c := proof.Checkpoint{Origin: "simpang/test/log", Size: 3, At: 1_772_438_400_000}
	c.Root, err = tree.Root()
	require.NoError(t, err)
	signed, err := c.Sign(key)
	require.NoError(t, err)
	b := proof.Bundle{Format: proof.BundleFormat, Checkpoint: string(signed)}
	for i, d := range data {
		p, err := proof.Inclusion(3, uint64(i), func(int, uint64) ([]byte, error) { return tiles[0].Data, nil })
		require.NoError(t, err)
		b.Entries = append(b.Entries, proof.Proven{Leaf: uint64(i), Data: d, Proof: p})
	}
	dir := t.TempDir()
	file, keyFile := filepath.Join(dir, "bundle.json"), filepath.Join(dir, "key.txt")
	write := func() {
		text, err := json.Marshal(b)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, text, 0o600))
	}
	write()
	require.NoError(t, os.WriteFile(keyFile, []byte(key.Public().String()+"\n"), 0o600))
	for _, k := range []string{key.Public().String(), keyFile} {
		cmd := program(t, "verify", "-bundle", file, "-key", k)
		require.NoError(t, cmd.Wait())
	}
	code, stdout, stderr := simpang(t, "verify", "-bundle", file, "-key", keyFile)
	require.Equal(t, exitDone, code, stderr)
	require.Contains(t, stdout, "3 entries are in the log simpang/test/log of 3 entries")
	require.Contains(t, stdout, "2026-03-02T08:00:00Z")

	b.Entries[1].Data[2] ^= 4
	write()
	code, _, stderr = simpang(t, "verify", "-bundle", file, "-key", keyFile)
	require.Equal(t, exitFailed, code)
	require.Contains(t, stderr, "entry 2")
	for _, args := range [][]string{
		{"-bundle", file}, {"-key", keyFile}, {"-bundle", file, "-key", "nonsense"}, {"-bundle", file, "-key", file},
	} {
		code, _, stderr = simpang(t, append([]string{"verify"}, args...)...)
		require.Equal(t, exitUsage, code, "%v: %s", args, stderr)
	}
	code, _, _ = simpang(t, "verify", "-bundle", filepath.Join(dir, "none"), "-key", keyFile)
	require.Equal(t, exitFailed, code)
}
