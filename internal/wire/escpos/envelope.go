package escpos

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire"
)

// Envelope is one print with what the source knows of it: the payload of the
// format. It holds all that a receipt is made of, so that one that was set
// aside can be read again with mended templates.
type Envelope struct {
	Device string   `json:"device"` // id in devices.csv, of the configuration
	Boot   uint64   `json:"boot"`   // of the source: its start
	Seq    uint64   `json:"seq"`    // of the print within it
	Recv   int64    `json:"recv"`   // our clock when its last byte had come, Unix ms
	End    End      `json:"end"`
	Whole  bool     `json:"whole"`
	Cut    bool     `json:"cut,omitempty"`
	Long   bool     `json:"long,omitempty"`
	Noise  bool     `json:"noise,omitempty"`
	Bytes  int      `json:"bytes"`  // of the stream
	SHA256 string   `json:"sha256"` // of the stream, hex
	Text   string   `json:"text"`
	Codes  []string `json:"codes,omitempty"`
}

// Seal makes the envelope of a print.
func (p *Print) Seal(device string, boot, seq uint64, recv int64, sha256 string) Envelope {
	return Envelope{
		Device: device, Boot: boot, Seq: seq, Recv: recv, End: p.End, Whole: p.Whole, Cut: p.Cut, Long: p.Long, Noise: p.Noise(),
		Bytes: p.Bytes, SHA256: sha256, Text: p.Text, Codes: p.Codes,
	}
}

// Payload returns the bytes of the envelope.
func (e *Envelope) Payload() []byte {
	text, err := json.Marshal(e)
	if err != nil { // numbers and texts always can be
		panic(err)
	}
	return text
}

func (e *Envelope) sound() bool {
	p := Print{Whole: e.Whole, Cut: e.Cut, Long: e.Long, End: e.End}
	return p.Sound()
}

// Decode makes a receipt of an envelope and tells its device. It never fails:
// what is no receipt of a template is in Refused, with its identity; what a
// template knows as no receipt is neither. No Detail holds a word of the paper.
func Decode(payload []byte, t *Templates) (d wire.Decoded, device string) {
	var e Envelope
	in := json.NewDecoder(bytes.NewReader(payload))
	in.DisallowUnknownFields()
	if err := in.Decode(&e); err != nil || e.Device == "" || e.Boot > math.MaxInt64 || e.Seq > math.MaxInt64 || e.Recv < 0 || e.Recv > maxTime {
		return wire.Decoded{Refused: []city.Refusal{{Reason: city.ReasonNotJSON, Detail: "no print of a source of format escpos", Raw: payload}}}, ""
	}
	return t.Read(&e, payload), e.Device
}

// maxTime is the last millisecond of the year 9999.
const maxTime = 253_402_300_799_999

// Read is Decode of an envelope that is at hand; payload is its bytes.
func (t *Templates) Read(e *Envelope, payload []byte) wire.Decoded {
	refuse := func(reason city.Reason, detail string) wire.Decoded {
		return wire.Decoded{Refused: []city.Refusal{{
			Reason: reason, Detail: detail, Raw: payload,
			Seq: city.SomeInt(int64(e.Seq)), Boot: city.SomeInt(int64(e.Boot)), At: city.SomeInt(e.Recv),
		}}}
	}
	switch {
	case e.Noise:
		return refuse(city.ReasonNotPrint, "noise, not the print of a till: check the baud rate, the ground and which line is tapped")
	case !e.sound():
		return refuse(city.ReasonPartPrint, "not seen from beginning to end ("+e.whyPart()+"), so no amount is read from it: look at the till's own journal")
	}
	template := t.find(e)
	if template == nil {
		return refuse(city.ReasonUnreadPrint, "no template fits it: add one to templates_file, restart, and retry this item")
	}
	if template.other {
		return wire.Decoded{}
	}
	r, problem := template.read(e, t.zone)
	if problem != "" {
		return refuse(city.ReasonUnreadPrint, "template "+template.name+": "+problem)
	}
	r.Device, r.HasBoot, r.Boot, r.Seq = e.Device, true, e.Boot, e.Seq
	return wire.Decoded{Readings: []city.Reading{r}}
}

func (e *Envelope) whyPart() string {
	switch {
	case e.End == EndStopped:
		return "the line or the gateway was gone before its end"
	case e.End == EndLimit:
		return "its end did not come"
	case e.Long:
		return "it is longer than any receipt"
	case e.Cut:
		return "it stops in the middle of a command"
	}
	return "its beginning was not seen"
}

// find returns the first template that fits, nil where none does.
func (t *Templates) find(e *Envelope) *template {
	i := slices.IndexFunc(t.all, func(p template) bool { return p.fits(e.Text) })
	if i < 0 {
		return nil
	}
	return &t.all[i]
}

// Templates are what receipts look like, compiled. They are never changed.
type Templates struct {
	all  []template
	zone *time.Location
}
