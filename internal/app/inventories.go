package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/simpang-id/simpang/internal/api"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/intake"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
)

// inventories holds the accepted versions: their files by hash, the timeline
// that followers ask, and the newest one.
type inventories struct {
	dir      string // the folder that people edit
	zone     *time.Location
	store    *inventory.Store
	timeline *inventory.Timeline
	current  atomic.Pointer[inventory.Version]
	// restart names the settings of the configuration file that were changed
	// since the start and need a restart.
	restart func() ([]string, error)

	profiles map[string][]city.Kind // that the codecs add, with the kinds of device that they are of

	reloading sync.Mutex
	mu        sync.Mutex
	waiting   map[string]*inventory.Version // read and on their way through the journal, by hash
	onTheWay  map[string]int                // how often each of them is
}

// openInventories fills the timeline with every version that the journal
// accepted.
func openInventories(ctx context.Context, dir, storeDir string, zone *time.Location, j *journal.Journal) (*inventories, error) {
	store, err := inventory.OpenStore(storeDir)
	if err != nil {
		return nil, err
	}
	v := &inventories{dir: dir, zone: zone, store: store, waiting: map[string]*inventory.Version{}, onTheWay: map[string]int{}}
	v.timeline, err = loadTimeline(ctx, store, zone, j, func(version *inventory.Version) { v.current.Store(version) })
	if err != nil {
		return nil, err
	}
	return v, nil
}

// loadTimeline reads every version that the journal accepted; a file that is
// not as it was accepted is an error. each is told them in their order.
func loadTimeline(ctx context.Context, store *inventory.Store, zone *time.Location, j *journal.Journal, each func(*inventory.Version)) (*inventory.Timeline, error) {
	accepted, err := j.Versions(ctx)
	if err != nil {
		return nil, err
	}
	timeline := &inventory.Timeline{}
	for _, e := range accepted {
		version, err := store.Load(namedHashes(e.Inventory.Files), zone)
		if err != nil {
			return nil, fmt.Errorf("the inventory accepted at journal position %d: %w", e.Pos, err)
		}
		timeline.Accept(e.Pos, e.Recv, version)
		each(version)
	}
	return timeline, nil
}

func namedHashes(files []journal.FileHash) []inventory.NamedHash {
	out := make([]inventory.NamedHash, len(files))
	for i, f := range files {
		out[i] = inventory.NamedHash{Name: f.Name, SHA256: f.SHA256}
	}
	return out
}

func fileHashes(files []inventory.NamedHash) []journal.FileHash {
	out := make([]journal.FileHash, len(files))
	for i, f := range files {
		out[i] = journal.FileHash{Name: f.Name, SHA256: f.SHA256}
	}
	return out
}

// Current returns the newest accepted version.
func (v *inventories) Current() *inventory.Version { return v.current.Load() }

// prepare keeps a version's files and returns the entry that accepts it.
func (v *inventories) prepare(version *inventory.Version) (journal.Entry, error) {
	if err := v.store.Save(version); err != nil {
		return journal.Entry{}, err
	}
	v.mu.Lock()
	v.waiting[version.Hash] = version
	v.onTheWay[version.Hash]++
	v.mu.Unlock()
	return journal.Entry{Type: journal.TypeInventory, Inventory: &journal.InventoryVersion{
		Hash: version.Hash, Files: fileHashes(version.FileHashes()),
	}}, nil
}

// accepting returns a version that is on its way through the journal.
func (v *inventories) accepting(hash string) *inventory.Version {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.waiting[hash]
}

// committed takes a version into force that was just committed; followers see
// the entry after it.
func (v *inventories) committed(entries []journal.Entry) {
	for i := range entries {
		e := &entries[i]
		if e.Type != journal.TypeInventory {
			continue
		}
		if version := v.forget(e.Inventory.Hash); version != nil {
			v.timeline.Accept(e.Pos, e.Recv, version)
			v.current.Store(version)
		}
	}
}

// forget says that a version is on its way once less, and returns it. A reload
// that was answered with 503 and sent again is on its way twice.
func (v *inventories) forget(hash string) *inventory.Version {
	v.mu.Lock()
	defer v.mu.Unlock()
	version := v.waiting[hash]
	if v.onTheWay[hash]--; v.onTheWay[hash] <= 0 {
		delete(v.waiting, hash)
		delete(v.onTheWay, hash)
	}
	return version
}

// reload reads the folder anew and has the version accepted if it differs.
func (v *inventories) reload(ctx context.Context, do func(context.Context, intake.Command) (uint64, intake.Verdict, error)) (api.ReloadResult, error) {
	v.reloading.Lock()
	defer v.reloading.Unlock()
	version, faults, err := inventory.Load(v.dir, v.zone)
	if err != nil {
		return api.ReloadResult{}, &city.Error{Kind: city.KindUnprocessed, Message: "the inventory cannot be read", Err: err, Fields: []city.FieldError{{Field: v.dir, Detail: err.Error()}}}
	}
	if version != nil {
		wrong, _ := version.CheckProfiles(v.profiles)
		faults = inFolder(v.dir, wrong)
	}
	restart, err := v.restart()
	if len(faults) > 0 || err != nil {
		return api.ReloadResult{}, faulty(faults, err)
	}
	result := api.ReloadResult{Hash: version.Hash, Restart: restart}
	current := v.Current()
	same := current != nil && current.Hash == version.Hash
	if same && !v.changes() {
		return result, nil
	}
	entry, err := v.prepare(version)
	if err != nil {
		return result, err
	}
	if _, _, err := do(ctx, intake.Command{Entries: []journal.Entry{entry}}); err != nil {
		if errors.Is(err, errNotQueued) {
			v.forget(version.Hash)
		}
		return result, err
	}
	result.Changed = !same
	return result, nil
}

// changes tells whether a version is on its way that was answered with 503 and
// may be committed later: what holds now may then hold no longer.
func (v *inventories) changes() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.onTheWay) > 0
}

// mostFaults bounds what an answer tells of an inventory at once.
const mostFaults = 500

// faulty tells every fault of an inventory and of a configuration.
func faulty(faults []inventory.Fault, configuration error) error {
	e := &city.Error{Kind: city.KindUnprocessed, Err: configuration}
	var said []string
	if configuration != nil {
		e.Fields = faultsOf(configuration)
		said = append(said, "the configuration")
	}
	if len(faults) > 0 {
		said = append(said, fmt.Sprintf("the inventory (%d)", len(faults)))
	}
	e.Message = strings.Join(said, " and ") + " has faults; what held before still holds"
	for i, f := range faults {
		at := f.File
		if f.Line > 0 {
			at = fmt.Sprintf("%s:%d", f.File, f.Line)
		}
		if i == mostFaults {
			e.Fields = append(e.Fields, city.FieldError{Field: at, Detail: fmt.Sprintf("and %d more faults from here on: simpang check tells all", len(faults)-i)})
			break
		}
		e.Fields = append(e.Fields, city.FieldError{Field: at, Detail: f.Message})
	}
	return e
}

// faultsOf is a field for each fault of a configuration.
func faultsOf(err error) (fields []city.FieldError) {
	all, ok := errors.AsType[*FaultsError](err)
	if !ok {
		return []city.FieldError{{Field: "configuration", Detail: err.Error()}}
	}
	for _, f := range all.Faults {
		at := f.File
		if f.Line > 0 {
			at = fmt.Sprintf("%s:%d", f.File, f.Line)
		}
		fields = append(fields, city.FieldError{Field: at, Detail: f.Message})
	}
	return fields
}
