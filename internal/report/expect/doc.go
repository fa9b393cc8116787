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
// chance (compound Poisson), the day's factor, the pace of each hour, the
// difference between places (as far as some were blind and others not) and the
// prices; the bounds are those of a gamma distribution of that mean and
// variance. An hour of which no day tells anything makes the answer unknown.
//
// # Gates
//
// Gates tell who leaves, not who that was. The mean stay of a day is the time
// that vehicles stood there over the vehicles that left; stays are taken to be
// log-normal around it, and how wide is part of the uncertainty. A gate's silence
// expires late, so an hour without anybody leaving, in which by the other days
// eight or more would have, is taken for a blind one.
//
// # What is not seen
//
// A sensor is believed for three intervals after its last word; what leaves
// meanwhile is missed. Of two gates out, the death of one shows nowhere here.
package expect
