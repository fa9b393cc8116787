package sqlite_test

import (
	"bytes"
	"os"
)

func writeNoise(path string) error {
	return os.WriteFile(path, bytes.Repeat([]byte("noise"), 4000), 0o600)
}
