package app

import (
	"github.com/simpang-id/simpang/internal/config"
	"github.com/simpang-id/simpang/internal/onboard"
	"github.com/simpang-id/simpang/internal/wire/lorawan"
)

// strangers is the list of devices that speak and are not in the inventory.
func (g *gateway) strangers() *onboard.List {
	return onboard.New(onboard.Options{Quarantine: g.quarantine, Inventory: g.inventory.Current, Decode: g.decode, Network: g.network, Log: g.log})
}

// network returns the reader of a source's LoRaWAN events, nil for a source of
// another format.
func (g *gateway) network(sourceID string) lorawan.Parse {
	for _, s := range g.cfg.Sources {
		switch {
		case s.ID != sourceID:
		case s.Format == config.FormatTTS:
			return lorawan.ParseTTS
		case s.Format == config.FormatChirp:
			return lorawan.ParseChirpStack
		}
	}
	return nil
}
