package app

import (
	"cmp"
	"slices"

	"github.com/simpang-id/simpang/internal/config"
	"github.com/simpang-id/simpang/internal/onboard"
	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/wire/lorawan"
	"github.com/simpang-id/simpang/internal/wire/native"
)

// strangers is the list of devices that speak and are not in the inventory.
func (g *gateway) strangers() *onboard.List {
	return onboard.New(onboard.Options{Quarantine: g.quarantine, Inventory: g.inventory.Current, Decode: g.decode, Network: g.network, Log: g.log})
}

// turnedAway lists whom the built-in brokers did not let in, the newest first.
func (g *gateway) turnedAway() (list []source.TurnedAway) {
	for _, s := range g.ready.sources() {
		if door, ok := s.Source.(interface{ TurnedAway() []source.TurnedAway }); ok {
			list = append(list, door.TurnedAway()...)
		}
	}
	slices.SortStableFunc(list, func(a, b source.TurnedAway) int { return cmp.Compare(b.Last, a.Last) })
	return list
}

// network returns the reader of the LoRaWAN event that came from a source, nil
// where it is none, as decode has it.
func (g *gateway) network(sourceID string, raw []byte) lorawan.Parse {
	for _, s := range g.cfg.Sources {
		switch {
		case s.ID != sourceID:
		case s.Type == config.TypeBroker && native.Is(raw):
			return nil
		case s.Format == config.FormatTTS:
			return lorawan.ParseTTS
		case s.Format == config.FormatChirp:
			return lorawan.ParseChirpStack
		}
	}
	return nil
}
