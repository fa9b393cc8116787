package app

import (
	"time"

	"github.com/simpang-id/simpang/internal/config"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/source/lora"
	"github.com/simpang-id/simpang/internal/source/sandbox"
	"github.com/simpang-id/simpang/internal/wire"
	"github.com/simpang-id/simpang/internal/wire/lorawan"
	"github.com/simpang-id/simpang/internal/wire/native"
	"github.com/simpang-id/simpang/internal/wire/senml"
)

// formats are the decoders of the sources over MQTT, by their ids.
type formats map[string]func(device string, payload []byte) wire.Decoded

func newFormats(sources []config.Source, current func() *inventory.Version, codecs *sandbox.Codecs, now func() time.Time) formats {
	all, read := formats{}, readBy(codecs)
	for _, s := range sources {
		switch s.Format {
		case config.FormatTTS:
			all[s.ID] = lora.New(lorawan.ParseTTS, current, read).Decode
		case config.FormatChirp:
			all[s.ID] = lora.New(lorawan.ParseChirpStack, current, read).Decode
		case config.FormatSenML:
			all[s.ID] = func(device string, payload []byte) wire.Decoded {
				return senml.Decode(device, payload, now().UnixMilli())
			}
		default:
			all[s.ID] = native.Decode
		}
	}
	return all
}
