// Package ledger follows the journal and keeps the books: each receipt once,
// whole rupiah, numbered entries whose canonical bytes never change.
//
// # Life of a receipt
//
// Intake has de-duplicated deliveries; here a reading's identity is its journal
// position. Each reading is kept word for word (table record), gets one entry
// of its own, and a place among the papers of its device (same number), in its
// meter's own order (running totals), in the listing of its place, and in the
// sums of its day. All that, and the cursor, is one transaction (Flush); a
// crash at any moment, and any cut of the journal into batches, make the same
// file, byte for byte.
//
// # What counts
//
// The rules are those of contract section 2; paper.go states them as a pure
// function of all readings, whatever order they come in. Where the contract is
// silent we decided:
//   - The 30 days of a reprint run from the receipt that counts, both ways: of
//     two equal papers the one made first counts, even if it comes last.
//   - A paper with the same number and another amount is flagged number_reused
//     however long ago the number was used.
//   - A void takes from where its receipt was added (site, operator, account,
//     rate, class, method), on the day of its own time. One with another amount
//     than any receipt of that number is flagged void_amount and does not count.
//   - A void may say up to five minutes less than its receipt (a clock that ran
//     ahead and was set right).
//   - A reading that comes late puts right what came before it by corrections,
//     which are entries of their own: no entry is ever changed.
//   - Totals of the meter are compared from reading to reading in the meter's
//     own order; those flags stand outside the entries, since a missing reading
//     that comes late takes them away again.
//   - Free receipts and subscriptions count with the amount they carry.
//
// # Whose money it is
//
// Site, kecamatan, operator, levy, account and rate are those of the inventory
// that held at the reading's time as known at its position; the tariff is that
// of entry. A device without a site, or a levy without an account, loses no
// money: it is booked under "" and flagged.
//
// # What is due
//
// Due stands outside the entries. It is the rate times the sum of a day, site,
// operator and account, rounded half up to the rupiah once for that sum; finer
// groups share it by running sums, so that every grouping adds up to the same.
//
// # Acts
//
// What staff write over the API, and who read money, comes as acts (journal.Act).
// A desk (desk.go) decides about each: every line of it has its effect, or none
// has. A reference names a line for good: the same content again is known, other
// content is refused. A line takes an earlier one back whole, or stands for it,
// by a line of its own. An act is kept word for word (table act) with its outcome;
// each line with an effect is an entry, an act without one has a single entry
// that says so. Deposits are summed in the table credit; sold karcis are in the
// sums of their day (karcis.go); hand-overs and declarations are in no sum.
//
// # Closed periods
//
// The sums (table book) are as known now, by the day of a receipt. A month that is
// closed is filed as it stood: what changes it later is filed with the next open
// month. The table filed holds how the two views differ, and nothing where nothing
// came late.
package ledger
