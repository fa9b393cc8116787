package broker

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCovers(t *testing.T) {
	tests := []struct {
		outer, inner string
		want         bool
	}{
		{"a/b", "a/b", true},
		{"a/b", "a/c", false},
		{"a/+", "a/b", true},
		{"a/+", "a/+", true},
		{"a/b", "a/+", false},
		{"a/+", "a/#", false},
		{"a/#", "a/#", true},
		{"a/#", "a", true},
		{"a/#", "a/b/c", true},
		{"a/#", "a/+/c", true},
		{"#", "a/b", true},
		{"a", "a/b", false},
		{"a/b", "a", false},
		{"+", "#", false},
		{"+/b/#", "a/b/c/d", true},
		{"+/b/#", "a/c/c/d", false},
	}
	for _, tt := range tests {
		require.Equal(t, tt.want, covers(tt.outer, tt.inner), "%s covers %s", tt.outer, tt.inner)
	}
}

// FuzzCovers: a filter that covers another matches every topic that the other
// matches, and a topic covers nothing but itself.
func FuzzCovers(f *testing.F) {
	f.Add("sg/v1/+/up", "sg/v1/a/up", "sg/v1/a/up")
	f.Add("sg/#", "sg/v1/+/down", "sg/v1/x/down")
	f.Add("#", "+/+", "a/b")
	f.Fuzz(func(t *testing.T, outer, inner, topic string) {
		if !validFilter(outer) || !validFilter(inner) || topic == "" || strings.ContainsAny(topic, "+#") {
			return
		}
		require.True(t, covers(outer, outer))
		if covers(outer, inner) && covers(inner, topic) {
			require.True(t, covers(outer, topic), "%q %q %q", outer, inner, topic)
		}
		if !strings.ContainsAny(outer, "+#") {
			require.Equal(t, outer == topic, covers(outer, topic))
		}
	})
}
