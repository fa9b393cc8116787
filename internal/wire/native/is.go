package native

import (
	"bytes"
	"encoding/json"
)

// Is tells whether a payload looks like this format, for payloads of which only
// the source is known: a JSON object with a kind, or an array whose first
// element has one.
func Is(payload []byte) bool {
	d := json.NewDecoder(bytes.NewReader(payload))
	first, err := d.Token()
	if err != nil {
		return false
	}
	if first == json.Delim('[') {
		first, err = d.Token()
	}
	if err != nil || first != json.Delim('{') {
		return false
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return false
		}
		if name == "kind" {
			return true
		}
		var skipped json.RawMessage
		if d.Decode(&skipped) != nil {
			return false
		}
	}
	return false
}
