package open311

import "strings"

// The statuses of the updates extension.
const (
	StatusOpen             = "open"
	StatusInvestigating    = "investigating"
	StatusInProgress       = "in_progress"
	StatusPlanned          = "planned"
	StatusActionScheduled  = "action_scheduled"
	StatusNoFurtherAction  = "no_further_action"
	StatusNotResponsible   = "not_councils_responsibility"
	StatusDuplicate        = "duplicate"
	StatusInternalReferral = "internal_referral"
	StatusCancelled        = "cancelled"
	StatusFixed            = "fixed"
	StatusClosed           = "closed"
	StatusReopen           = "reopen"
	StatusForTriage        = "for_triage"
	StatusUnchanged        = "unchanged"
)

// Statuses lists every status of the extension.
var Statuses = []string{
	StatusOpen, StatusInvestigating, StatusInProgress, StatusPlanned, StatusActionScheduled, StatusNoFurtherAction, StatusNotResponsible,
	StatusDuplicate, StatusInternalReferral, StatusCancelled, StatusFixed, StatusClosed, StatusReopen, StatusForTriage, StatusUnchanged,
}

// Status reads a status in any case, with spaces or hyphens too; false where
// it is none of the extension's.
func Status(text string) (string, bool) {
	word := strings.NewReplacer(" ", "_", "-", "_").Replace(strings.ToLower(strings.TrimSpace(text)))
	for _, known := range Statuses {
		if word == known {
			return known, true
		}
	}
	return "", false
}

// Ends tells whether a status of the extension closes a request.
func Ends(status string) bool {
	switch status {
	case StatusNoFurtherAction, StatusNotResponsible, StatusDuplicate, StatusCancelled, StatusFixed, StatusClosed:
		return true
	}
	return false
}
