// Package report concludes about money: what a place should have earned against
// what was recorded, what is due against what was paid (reconciliation); what an
// operator owes for a month (statements); what came in against the target
// (realisasi). It keeps nothing: each answer is of the books as they are now.
//
// # Leaks
//
//   - leak_1 = expected - recorded, an interval. Recorded is what the receipts of
//     the classes say that sensors can see, and of no told class: a motorcycle's
//     receipt does not hide a car's missing one. It is sure where even its low
//     end is above nothing.
//   - leak_2 = due - settled - deposited, of what is overdue. A credit belongs to
//     the month of its period_from, as in the books. PBJT is paid by the month,
//     so leak_2 is of a taxpayer (NPWPD), object (NOPD) and masa pajak, and
//     not_yet_due until jatuh_tempo_setor has passed. A retribusi is due the day
//     after; a site's day has a leak_2 only where each credit that may be for it
//     names this site and this day alone: one of several days hides those days
//     of its site, one without a site those of all sites of its operator and
//     account. Of a month, what was paid for days that are not overdue yet pays
//     nothing that is.
//   - settled is net of its fee, so the fee stays in leak_2; it is told beside.
//   - What an operator declared (SPTPD) is of a month: days show null.
//
// # Statements
//
// Gross, rate and due are the books', whose due is rounded once a day and site.
// Credits pay the month that they are for, in the order of their day. Late
// interest is reckoned for each part that was paid late, from the day after the
// due date to its credit, and for what is unpaid to today: part of a month counts
// whole, each part is rounded half up to the rupiah once. Interest is of PBJT
// only.
package report
