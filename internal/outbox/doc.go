// Package outbox sends complaints to the city's own system, any server of
// Open311 GeoReport v2, and brings back what becomes of them.
//
// # None is filed twice
//
// Open311 has no key by which a server knows a repeat. So a POST is noted
// durably before it begins, our id stands in its description, and it is sent
// again only where it is certain that it was not taken: no connection was
// made, or the server refused it in the standard's words. After any other end
// (a time-out, a cut, an answer that is none, a 5xx, our own crash) the worker
// only looks: it searches their requests for our id. What it finds is sent.
// What it has not found after several complete look-ups is unsure, which is
// for a person; the worker never sends it again by itself. It goes on reading
// their new requests, and one with our id in it settles what was unsure.
//
// A POST goes only to a server whose last answer was well: after a failure the
// worker first asks for something harmless. So a server that is away for days
// costs one unclear delivery, not one for each complaint.
//
// # Steps
//
// The worker has no goroutine and no clock. Who owns it calls Step, which does
// one piece of work and says when to come again.
package outbox
