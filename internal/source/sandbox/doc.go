// Package sandbox runs vendors' payload codecs (package codec) in processes of
// their own, which are the program itself with the argument Command.
//
// JavaScript cannot be bounded from within: built-in functions are not
// interrupted, a string doubles with each addition, and a deep recursion of the
// interpreter ends its whole process. So what runs it is a process that can be
// lost: its memory is bounded by the kernel, its time by a watchdog in it and by
// a deadline of ours, and it has nothing but two pipes. The gateway itself never
// runs, compiles or even parses a script.
package sandbox
