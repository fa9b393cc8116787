package app

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/simpang-id/simpang/internal/api"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/source"
)

// startedSource is one source of the configuration.
type startedSource struct {
	source.Source
	maxSilence time.Duration // 0: none
	since      time.Time     // when it was started, on the monotonic clock
	fault      func() string // why its Run ended, "" while it runs; it is run again
}

// followerLagLimit is how far a follower may fall behind before the gateway
// says that it is not ready.
const followerLagLimit = 5 * time.Second

// commitLimit is how long a commit may run before the gateway says that it is
// not ready: a disk that hangs fails no commit.
const commitLimit = 5 * time.Second

// readiness answers /readyz.
type readiness struct {
	journal   *journal.Journal
	committer *committer
	clockBad  func() string
	runners   []*runner
	now       func() time.Time
	zone      *time.Location
	began     uint64        // the journal's head at the start
	unsigned  func() string // why the books are not signed for too long, "" where they are; nil: they are
	kept      func() string // why nothing past its retention is let go, "" where it is; nil: it is
	office    func() string // why the register of complaints does not work, "" where it does; nil: there is none
	// servers tells of the targets of influx, and what a person must mend; nil: there are none
	servers func(ctx context.Context, r *readiness, now time.Time) ([]api.FollowerReady, []string)

	mu      sync.Mutex
	started []startedSource
}

func (r *readiness) add(s startedSource) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.started = append(r.started, s)
}

func (r *readiness) sources() []startedSource {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.started)
}

var _ api.Readiness = (*readiness)(nil)

// Ready tells each source and follower, and why the gateway is not ready.
func (r *readiness) Ready(ctx context.Context) api.Readyz {
	now := r.now()
	answer := api.Readyz{Head: r.journal.Head()}
	reason := func(code, detail string) {
		answer.Reasons = append(answer.Reasons, api.Reason{Code: code, Detail: detail})
	}
	if fault := r.clockBad(); fault != "" {
		reason("clock", fault+"; nothing is taken: set the clock, or accept it by POST /v1/admin/clock")
	} else if fault := r.committer.status(); fault != "" {
		code := "commit"
		if strings.HasPrefix(fault, diskFull) {
			code = "disk"
			if r.kept != nil {
				fault += r.kept()
			}
		}
		reason(code, fault)
	} else if running := r.committer.running(); running > commitLimit {
		reason("commit", "a commit has been running for "+running.Round(time.Second).String()+
			" and nothing is acknowledged meanwhile: the disk of "+r.committer.disk+" does not answer; look at it and at the system's log")
	}
	if r.unsigned != nil {
		if fault := r.unsigned(); fault != "" {
			reason("signing", fault)
		}
	}
	for _, s := range r.sources() {
		ready, problem := describe(s, now, r.zone)
		answer.Sources = append(answer.Sources, ready)
		if problem != "" {
			reason("source", problem)
		}
	}
	for _, f := range r.runners {
		status := f.status()
		ready := api.FollowerReady{Name: status.Name, Cursor: status.Flushed, Detail: api.TextOrNull(status.Fault), LastMessage: api.FormatTime(status.Recv, r.zone)}
		if status.Applied < answer.Head {
			ready.Lag = answer.Head - status.Applied
		}
		behind := r.behind(ctx, status.Applied, ready.Lag, now)
		ready.LagS = city.SomeMilli(behind.Milliseconds())
		if status.Recv != 0 {
			ready.AgeS = city.SomeInt(max(now.UnixMilli()-status.Recv, 0) / 1000)
		}
		answer.Followers = append(answer.Followers, ready)
		switch {
		case status.Fault != "":
			reason("follower", status.Name+": "+firstLine(status.Fault))
		case behind > followerLagLimit:
			reason("follower", status.Name+" is "+behind.Round(time.Second).String()+" behind")
		case status.Applied < r.began:
			reason("follower", status.Name+" still reads what came before the start")
		}
	}
	if r.office != nil {
		if fault := r.office(); fault != "" {
			reason("complaints", "the register of complaints does not work: "+firstLine(fault))
		}
	}
	if r.servers != nil {
		streams, problems := r.servers(ctx, r, now)
		answer.Followers = append(answer.Followers, streams...)
		for _, problem := range problems {
			reason("influx", problem)
		}
	}
	answer.Ready = len(answer.Reasons) == 0
	return answer
}

// lag is how far a follower is behind the journal.
func (r *readiness) lag(ctx context.Context, name string) time.Duration {
	for _, f := range r.runners {
		status := f.status()
		if head := r.journal.Head(); status.Name == name && status.Applied < head {
			return r.behind(ctx, status.Applied, head-status.Applied, r.now())
		}
	}
	return 0
}

// behind is the age of the oldest entry that a follower has not applied. What
// was taken up from quarantine is as old as its first receipt, and does not
// count.
func (r *readiness) behind(ctx context.Context, applied, lag uint64, now time.Time) time.Duration {
	if lag == 0 {
		return 0
	}
	if days := r.journal.Days(); len(days) > 0 { // what comes next was retired: it is as old as what is left, at least
		applied = max(applied, days[0].First-1)
	}
	const most = 64
	for _, ahead := range [][2]uint64{{1, 1}, {2, min(lag, most)}} { // nearly always the first tells, and a scrape must cost little
		positions := make([]uint64, 0, ahead[1])
		for n := ahead[0]; n <= ahead[1]; n++ {
			positions = append(positions, applied+n)
		}
		next, err := r.journal.At(ctx, positions)
		if err != nil {
			return 0
		}
		for i := range next {
			if next[i].Flags&journal.FlagRetried == 0 {
				return max(now.Sub(time.UnixMilli(next[i].Recv)), 0)
			}
		}
	}
	return 0
}

// heard returns how long ago the last message came, or without any how long
// the source has been running; it does not look at the clock on the wall.
func (s startedSource) heard(status source.Status) time.Duration {
	if status.LastMessage.IsZero() {
		return time.Since(s.since)
	}
	return time.Since(status.LastMessage)
}

func describe(s startedSource, now time.Time, zone *time.Location) (api.SourceReady, string) {
	status := s.Status()
	ready := api.SourceReady{
		ID: status.ID, Type: status.Type, Connected: status.Connected, Received: status.Received,
		Connections: status.Connections, Detail: api.TextOrNull(status.Detail), Lag: uint64(max(status.Unacked, 0)),
	}
	age := s.heard(status)
	if !status.LastMessage.IsZero() {
		ready.LastMessage = api.FormatTime(now.Add(-age).UnixMilli(), zone)
		ready.LagS = city.SomeInt(int64(age / time.Second))
		ready.AgeS = ready.LagS
	}
	ready.Silent = s.maxSilence > 0 && age > s.maxSilence
	switch fault := s.fault(); {
	case fault != "":
		return ready, status.ID + " stopped and is tried again: " + fault
	case status.Fault != "":
		return ready, status.ID + ": " + status.Fault
	case ready.Silent:
		return ready, status.ID + " is silent for " + age.Round(time.Second).String() + ", longer than its max_silence: look at the broker, the cable or the devices"
	}
	return ready, ""
}

func firstLine(s string) string {
	for i, c := range s {
		if c == '\n' {
			return s[:i]
		}
	}
	return s
}
