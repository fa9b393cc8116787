package api

import (
	"net/http"
	"time"

	"github.com/simpang-id/simpang/internal/city"
)

// Readyz tells whether the gateway can commit and answer.
type Readyz struct {
	Ready     bool            `json:"ready"`
	Reasons   []Reason        `json:"reasons" doc:"why it is not ready"`
	Head      uint64          `json:"head" doc:"newest position of the journal"`
	Sources   []SourceReady   `json:"sources"`
	Followers []FollowerReady `json:"followers"`
}

// Reason is one cause of not being ready.
type Reason struct {
	Code   string `json:"code" doc:"a short word: clock, disk, source, follower, ..."`
	Detail string `json:"detail" doc:"what is wrong, and what to do"`
}

// SourceReady is one source of messages.
type SourceReady struct {
	ID          string     `json:"id"`
	Type        string     `json:"type"`
	Connected   bool       `json:"connected"`
	Silent      bool       `json:"silent" doc:"nothing came for longer than max_silence"`
	Detail      TextOrNull `json:"detail"`
	LastMessage TimeOrNull `json:"last_message"`
	Lag         uint64     `json:"lag" doc:"messages that were received and are not committed yet"`
	LagS        city.Int   `json:"lag_s" doc:"seconds since the last message; null: none yet"`
	AgeS        city.Int   `json:"age_s" doc:"the same"`
	Received    uint64     `json:"received" doc:"messages since the start"`
	Connections int        `json:"connections" doc:"clients of the built-in broker"`
}

// FollowerReady is one reader of the journal.
type FollowerReady struct {
	Name        string     `json:"name"`
	Cursor      uint64     `json:"cursor" doc:"last position whose effect is durable"`
	Lag         uint64     `json:"lag" doc:"entries behind the head"`
	LagS        city.Milli `json:"lag_s" doc:"seconds behind; null: not known"`
	LastMessage TimeOrNull `json:"last_message" doc:"receive time of the last entry applied; null: none yet, or its day was retired"`
	AgeS        city.Int   `json:"age_s" doc:"seconds since then"`
	Detail      TextOrNull `json:"detail"`
}

// Alive says that the process lives.
type Alive struct {
	Status string `json:"status" enum:"ok"`
}

// FormatTime writes a moment (Unix ms) as answers do, for whoever fills a
// Readyz; 0 is null.
func FormatTime(ms int64, zone *time.Location) TimeOrNull {
	if ms == 0 {
		return ""
	}
	return TimeOrNull(formatTime(ms, zone))
}

func (s *Server) healthz(w http.ResponseWriter, q *request) error {
	writeJSON(w, q, http.StatusOK, Alive{Status: "ok"})
	return nil
}

func (s *Server) readyz(w http.ResponseWriter, q *request) error {
	answer := s.Readiness.Ready(q.Context())
	if answer.Reasons == nil {
		answer.Reasons = []Reason{}
	}
	if answer.Sources == nil {
		answer.Sources = []SourceReady{}
	}
	if answer.Followers == nil {
		answer.Followers = []FollowerReady{}
	}
	status := http.StatusOK
	if !answer.Ready {
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "5")
	}
	writeJSON(w, q, status, answer)
	return nil
}
