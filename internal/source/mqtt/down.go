package mqtt

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// downTime is how long the broker may take to acknowledge what is for a device.
const downTime = 5 * time.Second

var errAway = errors.New("not connected to the broker")

func (s *Source) setClient(c paho.Client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.client = c
}

// Down publishes payload to the device's down topic, sg/v1/{device}/down.
// reached: the broker has taken it (QoS 0: it is written to the connection),
// which says nothing of the device, nor of whether the broker's rights allow
// it: MQTT 3.1.1 has no word for that.
func (s *Source) Down(ctx context.Context, device string, payload []byte, qos byte) (reached bool, err error) {
	if device == "" || strings.ContainsAny(device, "/+#\x00") {
		return false, fmt.Errorf("%q cannot be a device id", device)
	}
	s.mu.Lock()
	client := s.client
	s.mu.Unlock()
	if client == nil {
		return false, fmt.Errorf("source %s: %w", s.o.ID, errAway)
	}
	token := client.Publish("sg/v1/"+device+"/down", qos, false, payload)
	if err := wait(ctx, token, downTime); err != nil {
		return false, fmt.Errorf("source %s: %w", s.o.ID, err)
	}
	return true, nil
}
