// Package influx writes what the gateway knows to servers that have InfluxDB's
// v2 write API, and reads readings back from there.
//
// # How a reading gets there
//
// Each target has three streams with a cursor of its own each: readings from
// the journal, finished roll-ups, entries of the books. A stream encodes what
// follows its cursor as line protocol, sends it as one request, and moves its
// cursor only when the server said that it has it. What it sends again after a
// time-out, a crash or a restore is the same point with the same time, which
// overwrites itself. docs/influx.md has the measurements.
//
// # What goes wrong
//
// A server that is absent, slow, full or busy is asked again, with longer and
// longer waits, for as long as it takes. A token or bucket that is refused
// waits for a person; Status says why. Points that the server refuses for
// themselves are looked for by halving the request, and set aside one by one in
// a file. Nothing here holds up intake: a stream that lags reads the journal,
// or the archive, and takes half of its time at most while readings come in.
package influx
