package city

import "fmt"

// Rupiah is an amount of money in whole rupiah. Money is never a float.
type Rupiah int64

// Method is how a receipt was paid (contract, section 2).
type Method uint8

// The methods of payment.
const (
	MethodNone Method = iota
	Cash
	QRIS
	EMoney
	Card
	Subscription
	Free
)

// Methods lists every method in the order in which reports show them.
var Methods = []Method{Cash, QRIS, EMoney, Card, Subscription, Free}

var methodNames = [...]string{"", "cash", "qris", "emoney", "card", "subscription", "free"}

// ParseMethod returns the method of that name.
func ParseMethod(name string) (Method, bool) {
	for _, method := range Methods {
		if methodNames[method] == name {
			return method, true
		}
	}
	return MethodNone, false
}

// String returns the word of the contract, "" for MethodNone.
func (m Method) String() string {
	if int(m) >= len(methodNames) {
		return fmt.Sprintf("method(%d)", uint8(m))
	}
	return methodNames[m]
}

// MarshalText makes the method a word in JSON and CSV.
func (m Method) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText accepts the words of the contract and nothing else.
func (m *Method) UnmarshalText(text []byte) error {
	method, ok := ParseMethod(string(text))
	if !ok {
		return fmt.Errorf("unknown method %q: use cash, qris, emoney, card, subscription or free", text)
	}
	*m = method
	return nil
}
