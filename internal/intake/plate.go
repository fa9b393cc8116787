package intake

import (
	"crypto/hmac"
	"crypto/sha256"
	"path/filepath"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/simpang-id/simpang/internal/keys"
)

// Plates makes keyed hashes of number plates, one key a month of the reading.
// The way back is gone when the month's key is destroyed.
type Plates struct {
	dir  string
	mu   sync.Mutex
	keys map[string][keys.Size]byte
}

// NewPlates returns a hasher whose keys lie in dir, made when first needed.
func NewPlates(dir string) *Plates {
	return &Plates{dir: dir, keys: map[string][keys.Size]byte{}}
}

// plateHashSize is enough to tell a city's plates apart.
const plateHashSize = 16

// Hash returns the keyed hash of a plate seen at the time at (Unix ms).
// Spaces, dots, dashes and case do not count.
func (p *Plates) Hash(plate string, at int64) ([]byte, error) {
	month := time.UnixMilli(at).UTC().Format("2006-01")
	p.mu.Lock()
	defer p.mu.Unlock()
	key, ok := p.keys[month]
	if !ok {
		var err error
		key, err = keys.LoadOrMake(filepath.Join(p.dir, "plates-"+month+".key"))
		if err != nil {
			return nil, err
		}
		if len(p.keys) > 200 {
			clear(p.keys)
		}
		p.keys[month] = key
	}
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte(normalPlate(plate)))
	return mac.Sum(nil)[:plateHashSize], nil
}

func normalPlate(plate string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToUpper(r)
		}
		return -1
	}, plate)
}
