package inventory

import "fmt"

// Fault is one thing that is wrong with a file of the inventory.
type Fault struct {
	File    string
	Line    int    // 1..; 0 where there is no file (a variable, a flag)
	Message string // what is wrong, and what to do
}

// String returns `file:line: what is wrong, and what to do`.
func (f Fault) String() string {
	if f.Line == 0 {
		return f.File + ": " + f.Message
	}
	return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Message)
}
