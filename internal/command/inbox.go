package command

import (
	"iter"
	"sync"
)

// Bounds of what devices said and no round has taken in yet. What does not fit is
// dropped: its command is sent again, and answered again.
const (
	inboxAnswers = 4096
	inboxDevice  = 16 // answers of a device: it remembers no more ids
)

// inbox is what devices said since the last round. The intake writes into it: it
// never waits for the disk.
type inbox struct {
	mu      sync.Mutex
	waiting map[string]string // devices with open commands; over which source they spoke, "" not
	answers []Answer
	of      map[string]int // answers by device
	dropped uint64
}

func newInbox() *inbox { return &inbox{waiting: map[string]string{}, of: map[string]int{}} }

// await notes that a device has open commands, or none any more.
func (b *inbox) await(device string, open bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, has := b.waiting[device]; open && !has {
		b.waiting[device] = ""
	} else if !open {
		delete(b.waiting, device)
	}
}

// hear notes who spoke; news tells that a round has something to do.
func (b *inbox) hear(spoke iter.Seq2[string, string]) (news bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) == 0 {
		return false
	}
	for device, source := range spoke {
		if before, waits := b.waiting[device]; waits {
			news = news || before != source
			b.waiting[device] = source
		}
	}
	return news
}

// put keeps what fits of answers.
func (b *inbox) put(answers []Answer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range answers {
		if len(b.answers) >= inboxAnswers || b.of[a.Device] >= inboxDevice {
			b.dropped++
			continue
		}
		b.answers = append(b.answers, a)
		b.of[a.Device]++
	}
}

// take returns what came, and forgets it.
func (b *inbox) take() (spoke map[string]string, answers []Answer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for device, source := range b.waiting {
		if source == "" {
			continue
		}
		if spoke == nil {
			spoke = map[string]string{}
		}
		spoke[device], b.waiting[device] = source, ""
	}
	answers, b.answers = b.answers, nil
	clear(b.of)
	return spoke, answers
}

// lost counts what was dropped since the start.
func (b *inbox) lost() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.dropped
}
