package api

import (
	"github.com/simpang-id/simpang/internal/certificate"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/health"
	"github.com/simpang-id/simpang/internal/inventory"
)

// clockOf tells whose clock a device's readings are timed by, and how far its
// own is off. A clock that is not its own has no error of its own.
func (s *Server) clockOf(item *Device, d *inventory.Device, h *health.DeviceState) {
	switch s.Certificates.Basis(d, 1) {
	case certificate.ByFrames:
		item.Clock = "network"
	case certificate.ByGateway:
		item.Clock = "gateway"
	default:
		item.Clock = "device"
		item.SkewS = city.Milli(h.ClockMs) // ms are thousandths of a second
		rules := &s.board.Load().version.Rules.DeviceSkew
		item.Skewed = h.ClockMs.OK && (h.ClockMs.V < -int64(rules.AheadS)*1000 || h.ClockMs.V > int64(rules.BehindS)*1000)
	}
}
