package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"os"

	"github.com/simpang-id/simpang/internal/keys"
)

func syncDir(dir string) error { return keys.SyncDir(dir) }

// copyFile copies and syncs a file to a path that must not exist (mode 0600).
func copyFile(ctx context.Context, from, to string) (sum string, size int64, err error) {
	in, err := os.Open(from)
	if err != nil {
		return "", 0, err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return "", 0, err
	}
	h := sha256.New()
	size, err = io.Copy(io.MultiWriter(out, h), patient{ctx, in})
	if err = errors.Join(err, out.Sync(), out.Close()); err != nil {
		return "", 0, err
	}
	return text(h), size, nil
}

func hashFile(ctx context.Context, path string) (sum string, size int64, err error) {
	in, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer func() { _ = in.Close() }()
	h := sha256.New()
	size, err = io.Copy(h, patient{ctx, in})
	return text(h), size, err
}

func text(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }

// patient reads until its context ends.
type patient struct {
	ctx context.Context
	r   io.Reader
}

func (p patient) Read(b []byte) (int, error) {
	if err := p.ctx.Err(); err != nil {
		return 0, err
	}
	return p.r.Read(b)
}
