package api

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/command"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/token"
)

// NewCommand is what a device shall do.
type NewCommand struct {
	Cmd      string `json:"cmd" enum:"time,reboot,tariff"`
	ExpiresS *int64 `json:"expires_s,omitempty" doc:"for how long it is sent, seconds: 10 to 604,800; default 3,600, of tariff 86,400"`
}

// Command is what a device was told to do.
type Command struct {
	ID         string     `json:"id"`
	Device     string     `json:"device"`
	Cmd        string     `json:"cmd" enum:"time,reboot,tariff"`
	State      string     `json:"state" enum:"queued,sent,acknowledged,failed,expired"`
	At         Time       `json:"at"`
	ExpiresAt  Time       `json:"expires_at"`
	Sends      int64      `json:"sends" doc:"how often a broker took it"`
	SentAt     TimeOrNull `json:"sent_at" doc:"last"`
	AnsweredAt TimeOrNull `json:"answered_at"`
	Detail     TextOrNull `json:"detail" doc:"the device's own words, or why it failed"`
	By         string     `json:"by" doc:"id of the token that ordered it"`
}

const (
	leastExpiry   = 10 * time.Second
	longestExpiry = 7 * 24 * time.Hour
)

func (s *Server) command(c *command.Command) Command {
	return Command{
		ID: c.ID, Device: c.Device, Cmd: string(c.Kind), State: string(c.State), At: s.at(c.At), ExpiresAt: s.at(c.Expires), Sends: int64(c.Sends),
		SentAt: s.atOrNull(c.Sent), AnsweredAt: s.atOrNull(c.Answered), Detail: TextOrNull(c.Detail), By: c.By,
	}
}

// orderCommand serves POST /v1/devices/{id}/commands.
func (s *Server) orderCommand(w http.ResponseWriter, q *request) error {
	var asked NewCommand
	if err := readBody(q, &asked); err != nil {
		return err
	}
	v := s.Inventory.Current() // the board shows it up to a second later
	if v == nil {
		return &city.Error{Kind: city.KindUnavailable, Message: "the gateway begins and has no inventory yet: send it again in a moment"}
	}
	device := v.Device(q.text("id"))
	if device == nil {
		return notFound("there is no such device")
	}
	c, err := newCommand(&asked, q)
	if err != nil {
		return err
	}
	c.Device = device.ID
	if device.EUI != "" || device.Profile != "" {
		return problem(http.StatusUnprocessableEntity, "device "+device.ID+" speaks over a LoRaWAN network (eui, profile), which is told nothing from here: use its own console")
	}
	if c.Kind == command.Tariff {
		if c.Args, err = tariffFor(v, device, q.now.UnixMilli(), s.Zone); err != nil {
			return err
		}
	}
	kept, created, err := s.Commands.Order(q.Context(), c)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
		s.Log.InfoContext(q.Context(), "a command was ordered", "command", kept.ID, "device", kept.Device, "cmd", kept.Kind, "token", kept.By)
	}
	writeJSON(w, q, status, s.command(&kept))
	return nil
}

// newCommand checks what is asked, and who asks it.
func newCommand(asked *NewCommand, q *request) (command.Command, error) {
	c := command.Command{Kind: command.Kind(asked.Cmd), By: q.token.ID, At: q.now.UnixMilli()}
	var words []string
	for _, kind := range command.Kinds {
		words = append(words, string(kind))
	}
	var faults []city.FieldError
	if !slices.Contains(words, asked.Cmd) {
		faults = append(faults, city.FieldError{Field: "cmd", Detail: oneOf(words)})
	}
	expiry := time.Hour
	if c.Kind == command.Tariff {
		expiry = 24 * time.Hour
	}
	if asked.ExpiresS != nil {
		expiry = time.Duration(min(max(*asked.ExpiresS, 0), int64(longestExpiry/time.Second)+1)) * time.Second
		if expiry < leastExpiry || expiry > longestExpiry {
			faults = append(faults, city.FieldError{Field: "expires_s", Detail: "must be 10 to 604800"})
		}
	}
	if len(faults) > 0 {
		return c, problem(http.StatusUnprocessableEntity, faults[0].Field+": "+faults[0].Detail, faults...)
	}
	if c.Kind == command.Tariff && q.token.Role != token.Admin {
		return c, problem(http.StatusForbidden, "role "+string(q.token.Role)+" may order time and reboot; what meters charge is for role admin")
	}
	c.Expires = c.At + expiry.Milliseconds()
	return c, nil
}

// tariffFor is the table of the tariff of a meter's site.
func tariffFor(v *inventory.Version, d *inventory.Device, at int64, zone *time.Location) ([]byte, error) {
	site := v.Site(d.Site)
	if d.Kind != inventory.DeviceMeter || site == nil || site.Tariff == "" {
		return nil, problem(http.StatusUnprocessableEntity, "device "+d.ID+" is no meter of a site with a tariff")
	}
	table, err := v.Tariffs.Table(site.Tariff, at, zone)
	if err != nil {
		return nil, problem(http.StatusUnprocessableEntity, err.Error()+": correct tariffs.yaml and reload")
	}
	return json.Marshal(table)
}

// listCommands serves GET /v1/devices/{id}/commands.
func (s *Server) listCommands(w http.ResponseWriter, q *request) error {
	if _, _, err := s.findDevice(q.text("id")); err != nil {
		return err
	}
	before := int64(0)
	if cursor := q.text("cursor"); cursor != "" {
		var err error
		if before, err = strconv.ParseInt(cursor, 10, 64); err != nil || before < 1 {
			return badParameter("cursor", "must be what `next` said")
		}
	}
	found, err := s.Commands.List(q.Context(), q.text("id"), before, q.limit()+1)
	if err != nil {
		return err
	}
	found, next := firstPage(found, q.limit(), func(c command.Command) string { return strconv.FormatInt(c.No, 10) })
	list := List[Command]{Items: make([]Command, 0, len(found)), Next: next}
	t := &table{name: "commands-" + fileName(q.text("id")), columns: []string{
		"id", "device", "cmd", "state", "at", "expires_at", "sends", "sent_at", "answered_at", "detail", "by",
	}}
	for i := range found {
		c := s.command(&found[i])
		list.Items = append(list.Items, c)
		t.add(c.ID, c.Device, c.Cmd, c.State, string(c.At), string(c.ExpiresAt), c.Sends, string(c.SentAt), string(c.AnsweredAt), string(c.Detail), c.By)
	}
	if q.format() == "json" {
		writeJSON(w, q, http.StatusOK, list)
		return nil
	}
	linkNext(w, q, next)
	return s.writeTable(w, q, t, notStored, "")
}
