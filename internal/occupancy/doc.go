// Package occupancy follows the journal and knows how full each parking place
// is, was, and how long vehicles stayed.
//
// It keeps every observation in event time (chunks of a few hundred bytes a
// device) for some weeks. The present is what was observed last; roll-ups and
// stays are computed from the observations, and computed anew where a late one
// changes them. So every answer depends on the entries alone: not on the order
// of arrival, the size of batches, flushes or crashes.
//
// Where the contract leaves it open:
//   - The clock is the receive time of the newest entry that is no reading.
//     What expires between two ticks does so with the second.
//   - Without interval_s a sensor or counter expires after 3 x
//     DefaultIntervalS. Gates expire when none of a site's was heard for a day
//     (or 3 intervals if longer), health readings included.
//   - A reading of a class that the site lacks counts as the device's class,
//     else as the site's first, and in Counts.Mapped.
//   - Classes that share space show the space's numbers, each of them.
//   - With some of a site's counters expired, their share of the places left is
//     unknown. With `observed` under 1, the places out of sight are unknown.
//   - A class's quality speaks of its devices; places without one only lower
//     the confidence.
//   - A closure of its segment closes an on-street site. Places lost come off
//     the site's first class, then the next.
//   - Arrivals and departures of spots are changes between two readings without
//     expiry between them; a count does not tell them.
//   - A spot's silence of more than half its expiry is kept as a Lull: numbers
//     hold through it, but who concludes from them knows that a word is missing.
//   - A count by gates is bounded by ten times the capacity (10,000 at least).
package occupancy
