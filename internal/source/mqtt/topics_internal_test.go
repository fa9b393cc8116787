package mqtt

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDeviceOfATopic(t *testing.T) {
	tests := []struct {
		filters []string
		topic   string
		device  string
	}{
		{[]string{"sg/v1/+/up"}, "sg/v1/d1/up", "d1"},
		{[]string{"sg/v1/d1/up"}, "sg/v1/d1/up", "d1"},
		{[]string{"sg/v1/#"}, "sg/v1/d1/up", "d1"},
		{[]string{"city/+/+/data"}, "city/d1/x/data", "d1"},
		{[]string{"v3/+/devices/#"}, "v3/d1/devices/up", "d1"},
		{[]string{"a/+", "b/c/+"}, "b/c/d1", "d1"},
		{[]string{"$share/gateways/sg/v1/+/up"}, "sg/v1/d1/up", "d1"},
		{[]string{"$share/gateways/a/+/#"}, "a/d1/x", "d1"},
		{[]string{"a/+"}, "a/b/c", ""},
		{[]string{"a/+"}, "a", ""},
		{[]string{"a/b"}, "a/b", ""},
		{[]string{"#"}, "x/y", ""},
	}
	for _, tt := range tests {
		known := newTopics(tt.filters)
		for range 2 { // the second time from memory
			found := known.find([]byte(tt.topic))
			require.Equal(t, tt.device, found.device, "%v %s", tt.filters, tt.topic)
			require.Equal(t, tt.topic, found.name)
		}
	}
}

// FuzzDevice: what is taken for the device is a level of the topic.
func FuzzDevice(f *testing.F) {
	f.Add("sg/v1/+/up", "sg/v1/d1/up")
	f.Add("$share/g/a/+/#", "a/b/c")
	f.Fuzz(func(t *testing.T, filter, topic string) {
		if !validFilter(filter) {
			return
		}
		device := newTopics([]string{filter}).find([]byte(topic)).device
		if device != "" {
			require.Contains(t, strings.Split(topic, "/"), device)
		}
	})
}
