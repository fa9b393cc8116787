package mqtt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/simpang-id/simpang/internal/keys"
)

// left returns the filters that were subscribed once and are not configured any
// more: the broker keeps them in the session until they are unsubscribed.
func (s *Source) left() ([]string, error) {
	if s.o.TopicsFile == "" {
		return nil, nil
	}
	data, err := os.ReadFile(s.o.TopicsFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the topics of before: %w", err)
	}
	before := strings.FieldsFunc(string(data), func(r rune) bool { return r == '\n' })
	return slices.DeleteFunc(before, func(f string) bool { return slices.Contains(s.o.Topics, f) || !validFilter(f) }), nil
}

// remember writes down what is subscribed.
func (s *Source) remember() error {
	if s.o.TopicsFile == "" {
		return nil
	}
	text := strings.Join(s.o.Topics, "\n") + "\n"
	if data, err := os.ReadFile(s.o.TopicsFile); err == nil && string(data) == text {
		return nil
	}
	err := os.MkdirAll(filepath.Dir(s.o.TopicsFile), 0o700)
	if err == nil {
		err = keys.WriteFile(s.o.TopicsFile, []byte(text))
	}
	if err != nil {
		return fmt.Errorf("write down the topics: %w", err)
	}
	return nil
}
