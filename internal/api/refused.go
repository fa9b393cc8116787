package api

import (
	"net/http"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/source"
)

// RefusedLogin is a user that the built-in broker did not let in.
type RefusedLogin struct {
	User      string   `json:"user" doc:"as it was given; empty: none was"`
	Source    string   `json:"source"`
	Remote    string   `json:"remote" doc:"address of the last try"`
	FirstSeen Time     `json:"first_seen" doc:"since the start of the gateway"`
	LastSeen  Time     `json:"last_seen"`
	Times     city.Int `json:"times"`
	Device    bool     `json:"device" doc:"it is in devices.csv"`
	Known     bool     `json:"known" doc:"it has credentials, and gave another secret"`
	Next      string   `json:"next" doc:"what to do"`
}

// refusedLogins serves /v1/refused-logins.
func (s *Server) refusedLogins(w http.ResponseWriter, q *request) error {
	v := s.Inventory.Current()
	list := List[RefusedLogin]{Items: []RefusedLogin{}}
	t := &table{name: "refused-logins", columns: []string{"user", "source", "remote", "first_seen", "last_seen", "times", "device", "known", "next"}}
	for _, a := range s.TurnedAway() {
		if len(list.Items) == q.limit() {
			break
		}
		x := RefusedLogin{
			User: a.User, Source: a.Source, Remote: a.Remote, FirstSeen: s.at(a.First), LastSeen: s.at(a.Last), Times: city.SomeInt(int64(a.Times)),
			Device: v != nil && v.Device(a.User) != nil, Known: a.Known,
		}
		x.Next = nextFor(&a, x.Device)
		list.Items = append(list.Items, x)
		t.add(x.User, x.Source, x.Remote, string(x.FirstSeen), string(x.LastSeen), int64(a.Times), x.Device, x.Known, x.Next)
	}
	if q.format() == "json" {
		writeJSON(w, q, http.StatusOK, list)
		return nil
	}
	return s.writeTable(w, q, t, notStored, "")
}

func nextFor(a *source.TurnedAway, device bool) string {
	switch {
	case a.Swapped:
		return "its secret stands where the user belongs, and its user where the secret belongs: change them over in the device"
	case a.Known:
		return "it has another secret than was issued last: put that into the device, or make a new one with simpang device credentials"
	case device:
		return "it has no credentials: make them with simpang device credentials"
	case a.User == "":
		return "it gives no user: its user is its id of devices.csv"
	}
	return "it is not in devices.csv: if it is ours, add its line there, then make credentials with simpang device credentials"
}
