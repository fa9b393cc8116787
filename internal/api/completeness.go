package api

import (
	"github.com/simpang-id/simpang/internal/certificate"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
)

// completenessOf is a device's day as known now, or as its certificate has it
// where its numbers may be forgotten.
func (s *Server) completenessOf(q *request, d *inventory.Device, date string) (*Completeness, error) {
	id := q.text("id")
	if kept, err := s.certifiedDay(q, id, date); err != nil || kept != nil {
		return certifiedCompleteness(kept), err
	}
	c, err := s.Devices.Completeness(q.Context(), id, date)
	if err != nil {
		return nil, err
	}
	if d == nil {
		d = &inventory.Device{ID: id}
	}
	answer := &Completeness{
		Device: id, Date: date, Expected: c.Expected, Received: c.Received, Duplicate: c.Duplicate,
		Late: c.Late, Quarantined: c.Quarantined, Missing: c.Missing, OlderRuns: c.OlderRuns, Gaps: make([]Gap, 0, len(c.Gaps)),
		Basis: string(s.Certificates.Basis(d, c.Expected)),
	}
	for _, g := range c.Gaps {
		answer.Gaps = append(answer.Gaps, Gap{Boot: city.Uint{V: g.Boot, OK: g.HasBoot}, FromSeq: g.FromSeq, ToSeq: g.ToSeq})
	}
	return answer, nil
}

func certifiedCompleteness(d *certificate.DeviceDay) *Completeness {
	if d == nil {
		return nil
	}
	answer := &Completeness{
		Device: d.Device, Date: d.Date, Received: d.Received, Duplicate: d.Duplicate, Late: d.Late, Quarantined: d.Quarantined,
		OlderRuns: d.OlderRuns, Gaps: make([]Gap, 0, len(d.Gaps)), Basis: string(d.Basis),
	}
	if d.Expected != nil && d.Missing != nil {
		answer.Expected, answer.Missing = *d.Expected, *d.Missing
	}
	for _, g := range d.Gaps {
		gap := Gap{FromSeq: g.FromSeq, ToSeq: g.ToSeq}
		if g.Boot != nil {
			gap.Boot = city.Uint{V: *g.Boot, OK: true}
		}
		answer.Gaps = append(answer.Gaps, gap)
	}
	return answer
}
