package broker

import (
	"strings"

	"github.com/simpang-id/simpang/internal/source/mqttwire"
)

// prefix begins every topic of devices (contract, section 2).
const prefix = "sg/v1/"

// The last level of a device's topics.
const (
	leafUp     = "up"     // readings
	leafStatus = "status" // whether the device is connected; retained
	leafDown   = "down"   // to the device
)

// topicOf is the topic of device with that last level.
func topicOf(device, leaf string) string { return prefix + device + "/" + leaf }

// splitTopic takes sg/v1/{device}/{leaf} apart; ok is false for any other form.
func splitTopic(topic string) (device, leaf string, ok bool) {
	rest, found := strings.CutPrefix(topic, prefix)
	if !found {
		return "", "", false
	}
	device, leaf, found = strings.Cut(rest, "/")
	if !found || device == "" || leaf == "" || strings.ContainsAny(device, "+#") || strings.Contains(leaf, "/") {
		return "", "", false
	}
	return device, leaf, true
}

// verdict is what a client's rights say of a topic that it publishes to.
type verdict uint8

const (
	verdictUp       verdict = iota // a reading: to the sink
	verdictStatus                  // passes through the broker
	verdictForeign                 // the topic of a device that is not the client's
	verdictBadTopic                // no topic that anybody publishes to
	verdictNetwork                 // a topic of a network, by a bridge: to the sink
)

// mayFeed tells what a bridge may do with a topic that is none of devices where
// the broker takes a network's: device is the topic's last level.
func (c *credential) mayFeed(topic string) (v verdict, device string) {
	if !c.bridge() || strings.HasPrefix(topic, "sg/") || strings.HasPrefix(topic, "$") {
		return c.mayPublish(topic)
	}
	device = topic[strings.LastIndexByte(topic, '/')+1:]
	if !c.covers(topic) {
		return verdictForeign, device
	}
	return verdictNetwork, device
}

// mayPublish tells what the holder of c may do with topic; device is the
// topic's, "" where it has none.
func (c *credential) mayPublish(topic string) (v verdict, device string) {
	device, leaf, ok := splitTopic(topic)
	if !ok || leaf != leafUp && leaf != leafStatus {
		return verdictBadTopic, device
	}
	if c.bridge() {
		if !c.covers(topic) {
			return verdictForeign, device
		}
	} else if device != c.device {
		return verdictForeign, device
	}
	if leaf == leafStatus {
		return verdictStatus, device
	}
	return verdictUp, device
}

// mayRead tells whether the holder of c may subscribe to filter, which is also
// asked for each topic that is delivered. A device reads its own down; a bridge
// reads the down topics that its filters cover, by wildcard too.
func (c *credential) mayRead(filter string) bool {
	if !c.bridge() {
		return filter == topicOf(c.device, leafDown)
	}
	levels := strings.Split(filter, "/")
	if len(levels) != 4 || levels[0] != "sg" || levels[1] != "v1" || levels[2] == "" || levels[2] == "#" || levels[3] != leafDown {
		return false
	}
	return c.covers(filter)
}

// covers tells whether one of the bridge's filters matches everything that
// filter (or topic) matches.
func (c *credential) covers(filter string) bool {
	for _, own := range c.filters {
		if covers(own, filter) {
			return true
		}
	}
	return false
}

// covers tells whether outer matches every topic that inner matches (MQTT
// 3.1.1 and 5, section 4.7); a topic is a filter without wildcards.
func covers(outer, inner string) bool {
	for {
		o, outerRest, outerMore := strings.Cut(outer, "/")
		i, innerRest, innerMore := strings.Cut(inner, "/")
		switch {
		case o == "#":
			return true
		case i == "#", o != "+" && o != i:
			return false
		case !outerMore && !innerMore:
			return true
		case !innerMore:
			return outerRest == "#" // a/# matches a too
		case !outerMore:
			return false
		}
		outer, inner = outerRest, innerRest
	}
}

// validFilter tells whether filter is a topic filter (MQTT 5, section 4.7.1).
func validFilter(filter string) bool {
	if filter == "" || len(filter) > mqttwire.MaxTopic || strings.HasPrefix(filter, "$") {
		return false
	}
	levels := strings.Split(filter, "/")
	for n, level := range levels {
		switch {
		case level == "#" && n != len(levels)-1:
			return false
		case level != "#" && level != "+" && strings.ContainsAny(level, "#+"):
			return false
		}
	}
	return true
}

// validDevice tells whether id can be a level of a topic and a field of the
// credentials file.
func validDevice(id string) bool {
	if id == "" || len(id) > maxDevice {
		return false
	}
	return strings.IndexFunc(id, func(r rune) bool {
		return r <= ' ' || r == 0x7f || r == 0xfffd || strings.ContainsRune("/+#:,", r)
	}) < 0
}
