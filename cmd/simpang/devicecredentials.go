package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/simpang-id/simpang/internal/config"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/source/broker"
)

// deviceCredentials makes, lists or revokes credentials of the built-in broker,
// beside a running gateway too.
func deviceCredentials(f *deviceFlags, ids []string, stdout, stderr io.Writer) error {
	switch {
	case f.list && (f.revoke || f.filters != "" || len(ids) > 0):
		return usagef("-list stands alone: it makes and revokes nothing")
	case f.revoke && f.filters != "":
		return usagef("-revoke takes the names only: a bridge is revoked with its filters")
	case !f.list && len(ids) == 0:
		return usagef("%s", deviceUsage)
	}
	if err := once(ids); err != nil {
		return err
	}
	cfg, err := f.load()
	if err != nil {
		return err
	}
	source, err := oneSource(cfg, f.source, config.TypeBroker)
	if err != nil {
		return err
	}
	file := source.CredentialsFile
	switch {
	case f.list:
		return listCredentials(cfg, file, stdout, stderr)
	case f.revoke:
		return revokeCredentials(file, ids, stderr)
	}
	if f.filters == "" && !f.unlisted {
		if err := listed(cfg, ids); err != nil { // they may come ahead of their lines
			if _, werr := fmt.Fprintf(stderr, "simpang device: %v\n", err); werr != nil {
				return werr
			}
		}
	}
	issued, err := issue(file, f.filters, ids)
	for _, i := range issued {
		if _, werr := fmt.Fprintf(stdout, "%s:%s\n", i.Device, i.Secret); werr != nil {
			return werr
		}
	}
	if errors.Is(err, broker.ErrInvalid) {
		return usagef("%s", err)
	}
	return err
}

// once refuses a repeated id: of two secrets only the last would be let in.
func once(ids []string) error {
	for i, id := range ids {
		if slices.Contains(ids[:i], id) {
			return usagef("%s is named twice: name each once", id)
		}
	}
	return nil
}

func issue(file, filters string, names []string) (issued []broker.Issued, err error) {
	if filters == "" {
		return broker.Issue(file, names...)
	}
	for _, name := range names {
		one, err := broker.IssueBridge(file, name, strings.Split(filters, ","))
		if err != nil {
			return issued, err
		}
		issued = append(issued, one)
	}
	return issued, nil
}

// listed tells the ids that are not in devices.csv, all at once: such a device
// can log in, and all it says is set aside.
func listed(cfg *config.Config, ids []string) error {
	v, err := inventoryOf(cfg)
	if err != nil {
		return err
	}
	var unknown []string
	for _, id := range ids {
		if v.Device(id) == nil {
			unknown = append(unknown, id)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	return usagef("not in devices.csv of %s: %s. What they send is set aside until each has its line (GET /v1/unknown-devices proposes it); -unlisted before the word says that this is meant; a bridge for many devices has -filters",
		cfg.Inventory, strings.Join(unknown, ", "))
}

// inventoryOf reads the folder as it is now, which a running gateway may not
// have been told of yet.
func inventoryOf(cfg *config.Config) (*inventory.Version, error) {
	v, faults, err := inventory.Load(cfg.Inventory, cfg.City.Zone)
	if err != nil {
		return nil, err
	}
	if len(faults) > 0 {
		return nil, usagef("the inventory has %d faults, the first: %s. simpang check tells them all; mend them, or say -unlisted before the word credentials", len(faults), faults[0].String())
	}
	return v, nil
}

func revokeCredentials(file string, ids []string, stderr io.Writer) error {
	gone, err := broker.Revoke(file, ids...)
	if err != nil {
		return err
	}
	had := map[string]bool{}
	for _, id := range gone {
		had[id] = true
		fmt.Fprintf(stderr, "%s is let in no more\n", id)
	}
	var others []string
	for _, id := range ids {
		if !had[id] {
			others = append(others, id)
		}
	}
	if len(others) > 0 {
		return usagef("had no credentials: %s; -list tells who has", strings.Join(others, ", "))
	}
	return nil
}

func listCredentials(cfg *config.Config, file string, stdout, stderr io.Writer) error {
	holders, faults, err := broker.Holders(file)
	if err != nil {
		return err
	}
	for _, fault := range faults {
		fmt.Fprintf(stderr, "warning: %s:%d: %s\n", file, fault.Line, fault.Message)
	}
	v, err := inventoryOf(cfg)
	if err != nil {
		fmt.Fprintln(stderr, "warning: "+err.Error())
	}
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tIS\tIN DEVICES.CSV\tPUBLISHES TO")
	for _, h := range holders {
		is, publishes, in := "device", "sg/v1/"+h.Name+"/up sg/v1/"+h.Name+"/status", "no"
		switch {
		case h.Filters != nil:
			is, publishes, in = "bridge", strings.Join(h.Filters, " "), "-"
		case v == nil:
			in = "?"
		case v.Device(h.Name) != nil:
			in = "yes"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", h.Name, is, in, publishes)
	}
	return w.Flush()
}

// oneSource returns the source of a type, or the named one of several.
func oneSource(cfg *config.Config, id, kind string) (*config.Source, error) {
	var found []*config.Source
	for i := range cfg.Sources {
		if s := &cfg.Sources[i]; s.Type == kind && (id == "" || s.ID == id) {
			found = append(found, s)
		}
	}
	switch {
	case len(found) == 0:
		return nil, usagef("%s has no source of type %s with that id", cfg.File, kind)
	case len(found) > 1:
		return nil, usagef("%s has several sources of type %s: name one with -source", cfg.File, kind)
	}
	return found[0], nil
}
