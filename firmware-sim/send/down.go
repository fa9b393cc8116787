package send

import (
	"strings"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// listen has what comes down answered. A device listens to its own topic, a
// bridge to those of the devices that it speaks for, as far as the broker lets
// it. An answer that is lost is asked for again.
func (l *lane) listen(client mqtt.Client) {
	if l.m.o.Told == nil {
		return
	}
	filter := downTopic("+")
	if l.own {
		filter = downTopic(l.user)
	}
	client.Subscribe(filter, 1, func(c mqtt.Client, m mqtt.Message) {
		device, ok := strings.CutPrefix(strings.TrimSuffix(m.Topic(), "/down"), "sg/v1/")
		if !ok || !l.own && l.m.o.Credentials[device] != "" {
			return
		}
		if ack := l.m.o.Told(device, m.Payload()); ack != nil {
			c.Publish(upTopic(device), 1, false, ack)
		}
	})
}

func downTopic(device string) string { return "sg/v1/" + device + "/down" }
