package archive

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sort"
)

// OpenReadOnly opens the archive in dir as it is and changes nothing, so that
// it can be checked beside a running gateway. A folder that is not there is an
// empty archive.
func OpenReadOnly(dir string) (*Store, error) {
	s := &Store{dir: dir, step: func(string) error { return errors.New("archive: opened read only") }}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err := s.loadDays(); err != nil {
		return nil, fmt.Errorf("archive: %w", err)
	}
	sort.Slice(s.days, func(i, k int) bool { return s.days[i].Date < s.days[k].Date })
	return s, nil
}
