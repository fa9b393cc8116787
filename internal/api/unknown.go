package api

import (
	"bytes"
	"encoding/csv"
	"net/http"
	"slices"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/onboard"
	"github.com/simpang-id/simpang/internal/token"
)

// UnknownDevice is a device that spoke and is not in the inventory.
type UnknownDevice struct {
	Device    string          `json:"device" doc:"id of its topic or sentence, or its DevEUI"`
	Sources   []string        `json:"sources"`
	Reasons   []string        `json:"reasons" doc:"why it was set aside"`
	Items     city.Int        `json:"items" doc:"messages kept in quarantine; the newest 1,000 of a device at most; null for role dishub"`
	FirstSeen Time            `json:"first_seen" doc:"of what is kept, by our clock"`
	LastSeen  Time            `json:"last_seen"`
	Topic     TextOrNull      `json:"topic" doc:"of the newest; null over a serial line"`
	EUI       TextOrNull      `json:"eui"`
	Name      TextOrNull      `json:"name" doc:"what the LoRaWAN network calls it"`
	Model     TextOrNull      `json:"model" doc:"brand and model, or the profile, by the network"`
	Detail    string          `json:"detail" doc:"what to do with the newest"`
	Samples   []UnknownSample `json:"samples" doc:"the newest first; nothing of a person, no sums; of meters none for role dishub"`
	Proposed  ProposedDevice  `json:"proposed"`
}

// UnknownSample is one message of an unknown device.
type UnknownSample struct {
	ReceivedAt Time         `json:"received_at"`
	Reason     string       `json:"reason"`
	Kind       TextOrNull   `json:"kind" doc:"null: it could not be read"`
	Port       city.Int     `json:"port" doc:"of a LoRaWAN payload"`
	Says       []SaidMember `json:"says"`
}

// SaidMember is one thing that a message says.
type SaidMember struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// ProposedDevice is what can be said of a line of devices.csv; null is for a
// person.
type ProposedDevice struct {
	ID        TextOrNull `json:"id"`
	Kind      TextOrNull `json:"kind"`
	Class     TextOrNull `json:"class"`
	Profile   TextOrNull `json:"profile"`
	EUI       TextOrNull `json:"eui"`
	IntervalS city.Int   `json:"interval_s" doc:"nine in ten silences were no longer; null: too little was heard, or a meter's for role dishub"`
	Note      string     `json:"note"`
	Missing   []string   `json:"missing" doc:"columns to fill in"`
	Profiles  []string   `json:"profiles" doc:"every profile that reads what came"`
	Line      string     `json:"line" doc:"for devices.csv, its columns id,kind,site,spot,segment,class,profile,eui,interval_s,note"`
}

// unknownDevices serves /v1/unknown-devices.
func (s *Server) unknownDevices(w http.ResponseWriter, q *request) error {
	found, more, err := s.Unknown.Page(q.Context(), q.text("cursor"), q.limit(), q.token.ID)
	if err != nil {
		return err
	}
	hidden := q.is(token.Dishub)
	for i := range found {
		if hidden {
			hideMoney(&found[i])
		}
	}
	next := TextOrNull("")
	if more {
		next = cursorOf(found[len(found)-1].Device)
	}
	if q.format() == "json" {
		list := List[UnknownDevice]{Items: make([]UnknownDevice, 0, len(found)), Next: next}
		for i := range found {
			item, err := s.unknownDevice(&found[i])
			if err != nil {
				return err
			}
			if hidden {
				item.Items = city.Int{}
			}
			list.Items = append(list.Items, item)
		}
		writeJSON(w, q, http.StatusOK, list)
		return nil
	}
	linkNext(w, q, next)
	t := &table{name: "devices", columns: onboard.Columns}
	for i := range found {
		cells := []any{}
		for _, cell := range found[i].Line.Cells() {
			cells = append(cells, cell)
		}
		t.add(cells...)
	}
	return s.writeTable(w, q, t, notStored, "")
}

// hideMoney takes out what tells how often a meter is paid: its messages, their
// numbers, and its silences.
func hideMoney(u *onboard.Stranger) {
	paid := func(x onboard.Sample) bool { return x.Kind == city.KindReceipt }
	if u.Line.Kind == inventory.DeviceMeter || slices.ContainsFunc(u.Samples, paid) {
		u.Samples, u.Line.IntervalS = nil, 0
	}
}

func (s *Server) unknownDevice(u *onboard.Stranger) (UnknownDevice, error) {
	item := UnknownDevice{
		Device: u.Device, Sources: orEmpty(u.Sources), Reasons: make([]string, 0, len(u.Reasons)), Items: city.SomeInt(int64(u.Items)),
		FirstSeen: s.at(u.First), LastSeen: s.at(u.Last), Topic: TextOrNull(u.Topic), Detail: u.Detail,
		Samples: make([]UnknownSample, 0, len(u.Samples)),
	}
	if u.Network != nil {
		item.EUI, item.Name, item.Model = TextOrNull(u.Network.EUI), TextOrNull(u.Network.Name), TextOrNull(u.Network.Model)
	}
	for _, reason := range u.Reasons {
		item.Reasons = append(item.Reasons, string(reason))
	}
	for _, x := range u.Samples {
		sample := UnknownSample{ReceivedAt: s.at(x.Recv), Reason: string(x.Reason), Kind: TextOrNull(x.Kind.String()), Says: make([]SaidMember, 0, len(x.Says))}
		if x.Port > 0 {
			sample.Port = city.SomeInt(int64(x.Port))
		}
		for _, m := range x.Says {
			sample.Says = append(sample.Says, SaidMember(m))
		}
		item.Samples = append(item.Samples, sample)
	}
	l := &u.Line
	item.Proposed = ProposedDevice{
		ID: TextOrNull(l.ID), Kind: TextOrNull(l.Kind), Class: TextOrNull(l.Class), Profile: TextOrNull(l.Profile), EUI: TextOrNull(l.EUI),
		Note: l.Note, Missing: orEmpty(l.Missing), Profiles: orEmpty(l.Profiles),
	}
	if l.IntervalS > 0 {
		item.Proposed.IntervalS = city.SomeInt(int64(l.IntervalS))
	}
	var err error
	item.Proposed.Line, err = csvLine(l.Cells())
	return item, err
}

// csvLine is one line of a table, as csv writes it and without its end.
func csvLine(cells []string) (string, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	for i := range cells {
		cells[i] = harmless(cells[i])
	}
	if err := w.Write(cells); err != nil {
		return "", err
	}
	w.Flush()
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), w.Error()
}
