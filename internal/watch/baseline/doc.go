// Package baseline learns on line what a series normally shows at this hour of
// this kind of day, and tells when it shows something else. It does no I/O and
// knows no clock: times come in. One set of defaults serves values of any unit
// and any, also irregular, sampling.
//
// # What is normal
//
// A profile holds, for each hour of a kind of day, where the values lie and how
// far from it, both means of what was clipped (Huber), so that anomalies move
// them little. A slot is believed by the days on which it was seen, n, with the
// weight n²/(n²+n0²); the rest is that of the kind next to it (a Sunday before
// the first Lebaran), in the end the overall level. The band is that of the
// mixture: where the two disagree it is wider by their distance. So an hour or a
// kind of day that was hardly seen has a wide band, and says so.
//
// # What is an anomaly
//
// Three statistics, each to either side and in mean deviations: how far a
// reading is from what its hour shows; the mean of that over the last hour or so
// (EWMA), for shifts that are small and last, but where the kind of day is
// hardly known, for then the kind itself is the shift; and how far it is from the overall
// level, for what was never reached at any hour. How far each goes by itself is
// learned of the series: how often it exceeds a level that is common, and by how
// much then (peaks over threshold with an exponential tail). It is an anomaly
// where that tail gives it less than Chance, and where it exceeds a floor: what
// is rare and small matters to nobody. The last statistic must also exceed what
// was reached before, which fades with the memory: the same again is no news.
// An anomaly ends once all stay under half of their bounds for Hold.
//
// Sources: P. J. Huber, Robust Estimation of a Location Parameter (1964); S. W.
// Roberts, Control Chart Tests Based on Geometric Moving Averages (1959); A.
// Siffer et al., Anomaly Detection in Streams with Extreme Value Theory (2017).
package baseline
