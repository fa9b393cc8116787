// Package watch follows the journal and keeps incidents: what is wrong with a
// meter or a site, since when, and by which readings.
//
// # Life of an incident
//
// Detectors, each a unit in a file of its own, take readings and the journal's
// ticks and say what holds (raise) and what holds no more (calm). There is one
// incident a rule and subject: it is open, recovering once its cause is gone,
// and closed where the cause stayed away for the rule's recover_min. What comes
// back before that is the same incident. A person's acknowledgement changes who
// knows, not what holds.
//
// Detectors are on line: they look at no reading twice, need O(1) memory a
// subject, know no clock but the journal's, and give the same incidents however
// the journal is cut into batches and wherever the process dies: their state,
// the incidents and the cursor are one transaction.
//
// # A truth of its own
//
// watch.db is backed up and never built again: acknowledgements are in no
// journal, and what other followers answered about a day is as of then.
package watch
