package api

import (
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
)

// Complaint is a complaint as those who work on it see it.
type Complaint struct {
	ID          string            `json:"id"`
	Source      string            `json:"source" enum:"citizen,anomaly,city" doc:"city: pulled from the city's own system"`
	Service     string            `json:"service" doc:"code in agencies.yaml"`
	ServiceName TextOrNull        `json:"service_name"`
	Agency      TextOrNull        `json:"agency" doc:"null: no agency has it"`
	Status      string            `json:"status" enum:"received,verified,in_progress,answered,closed,rejected,duplicate"`
	Description string            `json:"description"`
	Sites       []string          `json:"sites"`
	Segments    []string          `json:"segments"`
	Devices     []string          `json:"devices"`
	Kecamatan   TextOrNull        `json:"kecamatan"`
	Location    *inventory.LatLon `json:"location"`
	Address     TextOrNull        `json:"address"`
	Severity    TextOrNull        `json:"severity" doc:"of the anomaly: low, medium, high"`
	Anomaly     TextOrNull        `json:"anomaly" doc:"id of the first anomaly that it is of"`
	Rule        TextOrNull        `json:"rule"`
	Money       bool              `json:"confidential" doc:"about money: never public"`
	Overdue     bool              `json:"overdue" doc:"what is to be done next is late"`
	DueBy       TextOrNull        `json:"due_by" format:"date" doc:"last working day for what is to be done next"`
	ReceivedAt  Time              `json:"received_at"`
	VerifyBy    TextOrNull        `json:"verify_by" format:"date"`
	VerifiedAt  TimeOrNull        `json:"verified_at"`
	FollowUpBy  TextOrNull        `json:"follow_up_by" format:"date" doc:"of the present round"`
	AnsweredAt  TimeOrNull        `json:"answered_at"`
	CloseBy     TextOrNull        `json:"close_by" format:"date"`
	ClosedAt    TimeOrNull        `json:"closed_at" doc:"also of one that was rejected or is a duplicate"`
	UpdatedAt   Time              `json:"updated_at"`
	RecoveredAt TimeOrNull        `json:"recovered_at" doc:"since when the sensors see that it is over: it may be closed"`
	DuplicateOf TextOrNull        `json:"duplicate_of"`
	Reopened    int               `json:"reopened" doc:"times"`
	Escalated   int               `json:"escalated" doc:"times that a deadline was told up the line"`
	Delivery    TextOrNull        `json:"delivery" enum:"waiting,sending,sent,unsure,refused,held" doc:"to the city's system; null: it is not sent"`
	Theirs      TextOrNull        `json:"their_id" doc:"of the city's system"`
	Photos      []string          `json:"photos" doc:"ids"`
	Attributes  []Answer          `json:"attributes"`
}

// Answer is what a reporter answered to a question of the service.
type Answer struct {
	Code   string   `json:"code"`
	Values []string `json:"values"`
}

// ComplaintDetail is one complaint with its history.
type ComplaintDetail struct {
	Complaint
	Reporter     *Reporter         `json:"reporter" doc:"null: of nobody, no more kept, or not for this role"`
	Internal     TextOrNull        `json:"internal" doc:"figures, for those who look after money"`
	Evidence     *AnomalyEvidence  `json:"evidence,omitempty" doc:"of the first anomaly that it is of; left out where it is of none, or that is no longer kept"`
	DeliveryWhy  TextOrNull        `json:"delivery_why"`
	Updates      []ComplaintUpdate `json:"updates" doc:"the oldest first"`
	MayDuplicate []string          `json:"possible_duplicates" doc:"open complaints of the same kind within 100 m or at the same site"`
}

// Reporter is who reported; it goes 180 days after the end.
type Reporter struct {
	FirstName TextOrNull `json:"first_name"`
	LastName  TextOrNull `json:"last_name"`
	Phone     TextOrNull `json:"phone"`
	Email     TextOrNull `json:"email"`
}

// ComplaintUpdate is one entry of a complaint's history.
type ComplaintUpdate struct {
	ID            int64      `json:"id"`
	At            Time       `json:"at"`
	What          string     `json:"what"`
	Status        string     `json:"status" doc:"after it"`
	Open311Status string     `json:"open311_status"`
	Text          TextOrNull `json:"text"`
	Hidden        bool       `json:"hidden" doc:"not for the public"`
	By            TextOrNull `json:"by" doc:"id of a token; citizen; city: their system; null: the gateway"`
}

// NewComplaintUpdate is what a person does to a complaint.
type NewComplaintUpdate struct {
	Status        string `json:"status,omitempty" enum:"verified,in_progress,answered,closed,rejected,duplicate" doc:"verified of what was answered or ended reopens it"`
	Text          string `json:"text,omitempty" maxLength:"4000" doc:"needed with answered and rejected, and to reopen"`
	Hidden        bool   `json:"hidden,omitempty" doc:"for colleagues only"`
	Agency        string `json:"agency,omitempty" doc:"hands it to another agency"`
	DuplicateOf   string `json:"duplicate_of,omitempty" doc:"with status duplicate"`
	Open311Status string `json:"open311_status,omitempty" doc:"word of the updates extension, where another than the status's is meant"`
	Delivery      string `json:"delivery,omitempty" enum:"resend,filed" doc:"alone: a person's word on a delivery that is unsure, refused or held"`
	TheirID       string `json:"their_id,omitempty" doc:"with delivery filed: the id in the city's system"`
}

// Outbox is how the passing on to the city's own system stands.
type Outbox struct {
	Endpoint string        `json:"endpoint" enum:"none,well,silent" doc:"none: there is none, and complaints are entered by hand"`
	Waiting  int           `json:"waiting" doc:"complaints to be sent"`
	Sending  int           `json:"sending" doc:"begun; whether they arrived is not known yet"`
	Unsure   int           `json:"unsure" doc:"for a person: may be there, and was not found"`
	Refused  int           `json:"refused" doc:"for a person: they said what is wrong"`
	Held     int           `json:"held" doc:"about money, and the destination is not confidential"`
	OldestAt TimeOrNull    `json:"oldest_at" doc:"since when the oldest of waiting and sending waits"`
	Updates  OutboxUpdates `json:"updates" doc:"of ours, that they are to hear of"`
}

// OutboxUpdates counts updates on their way.
type OutboxUpdates struct {
	Waiting int `json:"waiting"`
	Sending int `json:"sending"`
	Unsure  int `json:"unsure"`
	Refused int `json:"refused"`
}

// Monev is E-Monev of a month.
type Monev struct {
	Month   string        `json:"month"`
	AsOf    Time          `json:"as_of"`
	Items   []MonevAgency `json:"items"`
	Waiting int           `json:"anomalies_waiting" doc:"that no complaint was made of yet, since an agency gets so many a day"`
	Note    string        `json:"note"`
}

// MonevAgency is what an agency did of the complaints that it received in a
// month. Hours are by the clock.
type MonevAgency struct {
	Agency         TextOrNull     `json:"agency" doc:"null: complaints that no agency has"`
	Name           TextOrNull     `json:"name"`
	Received       int            `json:"received"`
	Anomalies      int            `json:"anomalies" doc:"of them found by the gateway"`
	VerifyAuto     int            `json:"verified_automatically" doc:"in none of the next three"`
	Verified       int            `json:"verified"`
	VerifyInTime   int            `json:"verified_in_time" doc:"or told to be none, in time"`
	VerifyLate     int            `json:"verify_late" doc:"too late, or not yet and too late"`
	Answered       int            `json:"answered"`
	AnswerInTime   int            `json:"answered_in_time"`
	AnswerLate     int            `json:"answer_late" doc:"too late, or not yet and too late"`
	Closed         int            `json:"closed"`
	Rejected       int            `json:"rejected" doc:"and duplicates"`
	Reopened       int            `json:"reopened"`
	Escalated      int            `json:"escalated"`
	VerifyMedianH  city.Milli     `json:"verify_median_h"`
	VerifyP90H     city.Milli     `json:"verify_p90_h"`
	AnswerMedianH  city.Milli     `json:"answer_median_h" doc:"from the verification to the first answer"`
	AnswerP90H     city.Milli     `json:"answer_p90_h"`
	CloseMedianH   city.Milli     `json:"close_median_h" doc:"from the receipt to the end"`
	CloseP90H      city.Milli     `json:"close_p90_h"`
	Open           OpenAges       `json:"open" doc:"all that are open at the month's end, or now"`
	Accounts       []MonevAccount `json:"accounts" doc:"that the agency collects; none for role agency"`
	TargetYear     city.Int       `json:"target_year" doc:"rupiah, of all its accounts; null: one has none"`
	RealizedToDate city.Int       `json:"realized_to_date" doc:"rupiah, from the year's begin to the month's end; null: not known"`
	Percent        city.Milli     `json:"percent" doc:"realized_to_date of target_year"`
}

// OpenAges counts open complaints by working days since their receipt.
type OpenAges struct {
	To3   int `json:"days_0_3"`
	To5   int `json:"days_4_5"`
	To10  int `json:"days_6_10"`
	Older int `json:"days_over_10"`
}

// MonevAccount is an account against its target. Rupiah.
type MonevAccount struct {
	Account        string     `json:"account"`
	Name           TextOrNull `json:"name"`
	Realized       city.Int   `json:"realized" doc:"in the month"`
	RealizedToDate city.Int   `json:"realized_to_date"`
	TargetYear     city.Int   `json:"target_year"`
	Percent        city.Milli `json:"percent"`
	Suppressed     bool       `json:"suppressed"`
}
