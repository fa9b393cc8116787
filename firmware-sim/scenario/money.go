package scenario

import (
	"fmt"
	"path"
	"slices"
	"time"
)

// Bank says what is deposited of what the tills printed.
type Bank struct {
	On     bool    `yaml:"on"`
	Fee    float64 `yaml:"fee"`     // share that is kept of a payment without cash
	PayDay int     `yaml:"pay_day"` // of the month after
}

// PlantedKind is what is wrong on purpose.
type PlantedKind string

// The kinds of what can be planted.
const (
	Skim         PlantedKind = "skim"          // stays of a site that are paid and get no receipt
	NightVoids   PlantedKind = "night_voids"   // receipts of a meter voided between 22:00 and 05:00
	MeterReset   PlantedKind = "meter_reset"   // a meter's running totals begin at 0
	MeterSilent  PlantedKind = "meter_silent"  // a meter prints and says nothing, and the money is not recorded
	OffTariff    PlantedKind = "off_tariff"    // receipts of a meter that print Rp1,000 less than was paid
	Blind        PlantedKind = "blind"         // a site's spots, gates and counts say nothing
	DepositLate  PlantedKind = "deposit_late"  // an operator's deposits come days later
	DepositShort PlantedKind = "deposit_short" // an operator keeps a share back
)

// Plant is one thing that is wrong on purpose, within [From, Until).
type Plant struct {
	Kind     PlantedKind `yaml:"kind"`
	Site     string      `yaml:"site"`
	Device   string      `yaml:"device"`
	Segment  string      `yaml:"segment"`
	Operator string      `yaml:"operator"`
	Share    float64     `yaml:"share"`
	By       float64     `yaml:"by"` // in the unit of its kind
	Days     int         `yaml:"days"`
	From     time.Time   `yaml:"from"`
	Until    time.Time   `yaml:"until"`
}

// Planted is all that is wrong on purpose.
type Planted []Plant

// In returns the first of a kind that is about an id (of a site, device or
// operator, as the kind has it) and holds at a time, Unix ms.
func (p Planted) In(kind PlantedKind, id string, at int64) *Plant {
	for i := range p {
		if p[i].Kind == kind && p[i].subject() == id && at >= p[i].From.UnixMilli() && at < p[i].Until.UnixMilli() {
			return &p[i]
		}
	}
	return nil
}

func (p *Plant) subject() string {
	switch needs[p.Kind] {
	case ofOperator:
		return p.Operator
	case ofSite:
		return p.Site
	case ofSegment:
		return p.Segment
	default:
		return p.Device
	}
}

func (s *Scenario) checkMoney(say sayFunc, share shareFunc, within withinFunc) {
	share("bank.fee", s.Bank.Fee)
	within("bank.pay_day", float64(s.Bank.PayDay), 1, 28)
	for i := range s.Planted {
		p, at := &s.Planted[i], fmt.Sprintf("planted %d", i+1)
		need, known := needs[p.Kind]
		if !known {
			say("%s: the kind %q is not known: docs/firmware-sim.md lists those that are", at, p.Kind)
			continue
		}
		if slices.Contains(shared, p.Kind) {
			within(at+".share", p.Share, 0.0001, 1)
		}
		if p.Kind == DepositLate {
			within(at+".days", float64(p.Days), 1, 3660)
		}
		if b, ok := by[p.Kind]; ok {
			within(at+".by ("+b.unit+")", p.By, b.least, b.most)
		}
		if p.subject() == "" {
			say("%s: %s needs the id of what it is about: %s", at, p.Kind, need)
		}
		if _, err := path.Match(p.Site, ""); err != nil {
			say("%s: the pattern %q is wrong", at, p.Site)
		}
		if p.From.IsZero() || (p.Kind != MeterReset && p.Kind != MeterRollback && !p.Until.After(p.From)) {
			say("%s: give from and a later until", at)
		}
	}
}
