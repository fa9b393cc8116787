// Package world holds a simulated world around the gateway's heart: intake,
// journal, archive and followers, stepped by calls from one goroutine, on a
// simulated clock, with sources that redeliver, reorder, delay and die, and
// with the power taken away between any two steps. All of it comes out of one
// seed: the same seed makes the same steps, and the same trace hash.
//
// After every run a slow, obvious model, written from the contract and not from
// the code, says what must be in the journal, in quarantine and in the answers
// of the followers. Everything here is a test; no production code imports it.
//
//	SIMPANG_SEED=7 go test -run TestWorld ./internal/world    one seed alone
//	SIMPANG_TRACE=1 as well                                   and its steps
//	SIMPANG_SEEDS=5000, SIMPANG_FROM=100                      how many, from where
package world
