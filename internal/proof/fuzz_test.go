package proof_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/proof"
)

const (
	fuzzSecret = "PRIVATE+KEY+simpang/fuzz+a9fd9aa1+AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB"
	emptyRoot  = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
)

func fuzzKey(t require.TestingT) *proof.Key {
	key, err := proof.ParseKey([]byte(fuzzSecret))
	require.NoError(t, err)
	return key
}

// Signed texts only reach the parser: what it takes is signed and read again.
func FuzzCheckpoint(f *testing.F) {
	root := proof.LeafHash(nil)
	for _, c := range []proof.Checkpoint{
		{Origin: "o", Root: root},
		{Origin: "simpang/x/y", Size: 1 << 48, Root: root, At: 1000, Before: &proof.Previous{Origin: "a", Size: 3, Root: root}, Other: []string{"more", "time x"}},
		{Origin: "o", Root: root, Other: []string{"previous a 01 " + emptyRoot}},
		{Origin: "o", Root: root, Other: []string{"time 2026-03-02T08:00:00+07:00", ""}},
		{Origin: "o\n1\n" + emptyRoot + "\n", Root: root},
	} {
		signed, err := c.Sign(fuzzKey(f))
		require.NoError(f, err)
		f.Add(string(signed))
	}
	key := fuzzKey(f)
	f.Fuzz(func(t *testing.T, text string) {
		for _, signed := range [][]byte{[]byte(text), sign(text, key)} {
			c, err := proof.OpenCheckpoint(signed, key.Public())
			if err != nil {
				continue
			}
			require.NotEmpty(t, c.Origin)
			require.LessOrEqual(t, c.Size, uint64(proof.MaxSize))
			again, err := c.Sign(key)
			require.NoError(t, err)
			same, err := proof.OpenCheckpoint(again, key.Public())
			require.NoError(t, err)
			require.Equal(t, c, same)
		}
	})
}

// sign makes a checkpoint of which the text is the extension lines.
func sign(text string, key *proof.Key) []byte {
	c := proof.Checkpoint{Origin: "o", Other: []string{text}}
	signed, err := c.Sign(key)
	if err != nil {
		return nil
	}
	return signed
}

// No proof of any bytes holds for a leaf that is not there, and none panics.
func FuzzProof(f *testing.F) {
	f.Add([]byte{}, uint64(1), uint64(0))
	f.Add(make([]byte, 64), uint64(3), uint64(2))
	f.Add(make([]byte, 32*120), uint64(1<<48), uint64(1<<47))
	f.Add(make([]byte, 32*9), uint64(1<<63), uint64(1<<62))
	root := proof.LeafHash([]byte("the root"))
	f.Fuzz(func(t *testing.T, data []byte, size, at uint64) {
		hashes := make([]proof.Hash, len(data)/32)
		for i := range hashes {
			copy(hashes[i][:], data[32*i:])
		}
		require.Error(t, proof.CheckInclusion(hashes, size, root, at, proof.LeafHash([]byte("a leaf"))))
		if at != size {
			require.Error(t, proof.CheckConsistency(hashes, at, proof.LeafHash([]byte("another root")), size, root))
		}
		_, err := proof.Inclusion(size, at, func(int, uint64) ([]byte, error) { return data, nil })
		_ = err
	})
}

func FuzzBundle(f *testing.F) {
	f.Add([]byte(`{"format":"simpang-bundle/1","checkpoint":"o\n1\n` + emptyRoot + `\n","entries":[{"leaf":0,"data":"YQ==","proof":["` + emptyRoot + `"]}]}`))
	f.Add([]byte(`{"format":"simpang-bundle/1","entries":[]}{}`))
	f.Add([]byte(`{"format":"simpang-bundle/1","entries":null,"more":1}`))
	f.Add([]byte(`[]`))
	key := fuzzKey(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := proof.ParseBundle(data)
		if err != nil {
			return
		}
		text, err := json.Marshal(b)
		require.NoError(t, err)
		again, err := proof.ParseBundle(text)
		require.NoError(t, err)
		require.Len(t, again.Entries, len(b.Entries))
		_, _ = b.Check(key.Public()) // it must not panic
	})
}
