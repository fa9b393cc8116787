package city

import "fmt"

// Class is a class of vehicle as devices name it (contract, section 2).
type Class uint8

// The classes of vehicle. The zero value says that a message named none.
const (
	ClassNone Class = iota
	Car
	Motorcycle
	Truck
	Bus
	Bicycle
	ClassUnknown
)

// Classes lists every named class in the order in which answers show them.
var Classes = []Class{Car, Motorcycle, Truck, Bus, Bicycle, ClassUnknown}

var classNames = [...]string{"", "car", "motorcycle", "truck", "bus", "bicycle", "unknown"}

// ParseClass returns the class of that name; "" and other words are no class.
func ParseClass(name string) (Class, bool) {
	for _, class := range Classes {
		if classNames[class] == name {
			return class, true
		}
	}
	return ClassNone, false
}

// String returns the word of the contract, "" for ClassNone.
func (c Class) String() string {
	if int(c) >= len(classNames) {
		return fmt.Sprintf("class(%d)", uint8(c))
	}
	return classNames[c]
}

// MarshalText makes the class a word in JSON and CSV.
func (c Class) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText accepts the words of the contract and nothing else.
func (c *Class) UnmarshalText(text []byte) error {
	class, ok := ParseClass(string(text))
	if !ok {
		return fmt.Errorf("unknown class %q: use car, motorcycle, truck, bus, bicycle or unknown", text)
	}
	*c = class
	return nil
}
