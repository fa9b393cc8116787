package city

import "errors"

// ErrorKind sorts errors by what the caller can do; one table in api maps it
// to an HTTP status.
type ErrorKind uint8

// The kinds of error.
const (
	KindInternal    ErrorKind = iota // ours: 500
	KindInvalid                      // the request is wrong: 400
	KindNotFound                     // 404
	KindConflict                     // 409
	KindUnprocessed                  // well-formed, but the content cannot be taken: 422
	KindUnavailable                  // not now: 503
)

// Error is an error of a known kind with a message for the person who asked.
type Error struct {
	Kind    ErrorKind
	Message string       // what is wrong, and what to do
	Fields  []FieldError // the faults one by one, where it helps
	Err     error        // the cause, for the log only
}

// FieldError names one faulty member, column or line.
type FieldError struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

// Error returns the message and the cause.
func (e *Error) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of the first *Error in err's chain, KindInternal if
// there is none.
func KindOf(err error) ErrorKind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return KindInternal
}
