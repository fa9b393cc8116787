package ledger

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

func actOf(lines ...journal.Line) journal.Entry {
	return journal.Entry{Type: lines[0].Type(), Act: &journal.Act{By: "tok-1", Lines: lines}}
}

// deposit is a credit of the street's account for 1 March, credited on the next day.
func deposit(reference, kind string, gross, fee int64, change ...func(*journal.Deposit)) *journal.Deposit {
	d := &journal.Deposit{
		Reference: reference, Kind: kind, Account: accountStreet, Operator: "city", Site: "site-a", PeriodFrom: "2026-03-01", PeriodTo: "2026-03-01",
		CreditedOn: "2026-03-02", Gross: city.Rupiah(gross), Fee: city.Rupiah(fee), Net: city.Rupiah(gross - fee), Channel: "bank",
	}
	for _, f := range change {
		f(d)
	}
	return d
}

func reverses(reference string) func(*journal.Deposit) {
	return func(d *journal.Deposit) { d.Reverses = reference }
}

func pbjt(operator, site string) func(*journal.Deposit) {
	return func(d *journal.Deposit) { d.Account, d.Operator, d.Site = accountPBJT, operator, site }
}

func karcis(reference, state string, first, last uint64) *journal.Karcis {
	return &journal.Karcis{
		Reference: reference, State: state, Series: "A", First: first, Last: last, Class: city.Car, Price: 2000, Site: "site-a", Attendant: "at-1", Date: "2026-03-02",
	}
}

func handover(reference, hop, from, to string, amount int64) *journal.Handover {
	return &journal.Handover{
		Reference: reference, Hop: hop, From: from, To: to, Site: "site-a", CollectedOn: "2026-03-01", HandedOn: "2026-03-02", Amount: city.Rupiah(amount),
	}
}

func declaration(reference, corrects string, gross int64) *journal.Declaration {
	return &journal.Declaration{
		Reference: reference, NPWPD: "P.1", NOPD: "NOPD-site-c", Period: "2026-02", FiledOn: "2026-03-02", Gross: city.Rupiah(gross), Tax: city.Rupiah(gross / 10), Corrects: corrects,
	}
}

func read(token string, at int64) *journal.Access {
	return &journal.Access{Token: token, At: at, Route: "listReceipts", Filter: "00ff"}
}

// certificates is the hash of a day's certificates of completeness.
func certificates(date string, revision uint64) *journal.Certificates {
	return &journal.Certificates{Date: date, Revision: revision, Places: 2, Devices: 5, SHA256: strings.Repeat("0f", 32)}
}

// sampleActs are acts of every type and outcome; the closes close what is over
// by the time at which they come.
func sampleActs() []journal.Entry {
	return []journal.Entry{
		actOf(deposit("d-1", "STS", 50_000, 0), deposit("d-2", "settlement", 10_000, 70)),
		actOf(read("tok-1", day0), read("tok-2", day0+1)),
		actOf(deposit("d-1", "STS", 50_000, 0)),                      // known
		actOf(deposit("d-1", "STS", 60_000, 0)),                      // conflict
		actOf(deposit("d-3", "STS", 1, 0), deposit("", "STS", 2, 0)), // refused, both
		actOf(&journal.Close{Period: "2026-01"}),
		actOf(karcis("k-1", "issued", 1, 100), karcis("k-2", "sold", 1, 10)),
		actOf(karcis("k-3", "sold", 10, 20)), // refused: 10 is sold
		actOf(handover("h-1", "collector", "at-1", "co-1", 20_000), handover("h-2", "treasurer", "co-1", "bend-1", 19_000)),
		actOf(declaration("s-1", "", 400_000)),
		actOf(&journal.Close{Period: "2026-02"}),
		actOf(declaration("s-2", "s-1", 500_000)),
		actOf(deposit("d-4", "STS", 50_000, 0, reverses("d-1"))),
		actOf(certificates("2026-02-20", 1)),
		actOf(certificates("2026-02-20", 1)), // known
		actOf(certificates("2026-02-20", 2)),
		actOf(handover("h-3", "sts", "bend-1", "d-1", 19_000)),
		actOf(deposit("d-5", "SSPD", 9_000, 0, pbjt("op-1", "site-c")), deposit("d-6", "SSPD", 8_000, 0, pbjt("op-2", ""))),
		actOf(read("tok-2", day0+2)),
		actOf(&journal.Close{Period: "2026-03"}),
	}
}

// withActs puts acts between entries, and months between the first and the
// last, so that receipts come before and after the close of their month.
func withActs(entries []journal.Entry) []journal.Entry {
	acts := sampleActs()
	every, n := max(1, len(entries)/len(acts)), len(entries)+len(acts)
	first, recv := max(entries[0].Pos, 1), entries[0].Recv
	out := make([]journal.Entry, 0, n)
	for len(out) < n {
		from := &entries
		if len(acts) > 0 && (len(entries) == 0 || len(out)%(every+1) == every) {
			from = &acts
		}
		e := (*from)[0]
		*from = (*from)[1:]
		e.Pos, e.Recv = first+uint64(len(out)), recv+int64(len(out))*60*day/int64(n)
		out = append(out, e)
	}
	return out
}

// book applies an act at its time and returns its verdict.
func (b *bench) book(t require.TestingT, recv int64, lines ...journal.Line) Verdict {
	b.pos++
	e := actOf(lines...)
	e.Pos, e.Recv = b.pos, recv
	trial, err := b.f.Try(b.ctx(), &e)
	require.NoError(t, err)
	apply(t, b.f, []journal.Entry{e})
	v, err := b.f.VerdictAt(b.ctx(), e.Pos)
	require.NoError(t, err)
	require.Equal(t, trial.Outcome, v.Outcome, "what is tried is what is booked")
	require.Equal(t, trial.Entry, v.Entry)
	require.Equal(t, trial.Faults, v.Faults)
	v.New = trial.New
	return v
}

func TestADepositFileSentTwiceCountsOnce(t *testing.T) {
	b := newBench(t)
	file := []journal.Line{deposit("d-1", "STS", 50_000, 0), deposit("d-2", "settlement", 10_000, 70)}
	v := b.book(t, day0, file...)
	require.Equal(t, Verdict{Outcome: Booked, Entry: 1, New: 2}, v)
	want := []CreditTotal{{Period: "2026-03", Account: accountStreet, Operator: "city", Site: "site-a", Settled: 9_930, Fee: 70, Deposited: 50_000, Credits: 2}}
	require.Equal(t, want, b.credits(t))
	require.Equal(t, Known, b.book(t, day0, file...).Outcome)
	require.Equal(t, want, b.credits(t))

	b.reopen(t) // references are known after a restart
	require.Equal(t, Known, b.book(t, day0, file[1]).Outcome)
	v = b.book(t, day0, deposit("d-2", "settlement", 10_000, 70), deposit("d-3", "STS", 1_000, 0), deposit("d-3", "STS", 1_000, 0))
	require.Equal(t, Booked, v.Outcome)
	require.Equal(t, 1, v.New, "one is known, one is there twice")
	require.EqualValues(t, 51_000, b.credits(t)[0].Deposited)

	v = b.book(t, day0, deposit("d-9", "STS", 5, 0), deposit("d-2", "settlement", 10_001, 70))
	require.Equal(t, Conflict, v.Outcome)
	require.Equal(t, []Fault{{1, "reference", "entry 2 is booked under it with other content: an entry is never changed, take it back or use another reference"}}, v.Faults)
	require.EqualValues(t, 51_000, b.credits(t)[0].Deposited, "nothing of it has an effect")
	require.Equal(t, Booked, b.book(t, day0, deposit("d-9", "STS", 5, 0)).Outcome, "d-9 was not taken")
	b.verify(t)
}

func TestAReversalTakesADepositBackWhole(t *testing.T) {
	b := newBench(t)
	require.Equal(t, Refused, b.book(t, day0, deposit("r-1", "STS", 500, 0, reverses("d-1"))).Outcome, "there is nothing to take back")
	b.book(t, day0, deposit("d-1", "STS", 500, 0))
	v := b.book(t, day0, deposit("r-1", "STS", 400, 0, reverses("d-1")))
	require.Equal(t, Refused, v.Outcome)
	require.Equal(t, []string{"gross", "net"}, []string{v.Faults[0].Field, v.Faults[1].Field})
	require.Equal(t, Booked, b.book(t, day0, deposit("r-1", "STS", 500, 0, reverses("d-1"))).Outcome)
	require.Empty(t, b.credits(t))
	require.Equal(t, Known, b.book(t, day0, deposit("r-1", "STS", 500, 0, reverses("d-1"))).Outcome)
	require.Equal(t, Refused, b.book(t, day0, deposit("r-2", "STS", 500, 0, reverses("d-1"))).Outcome, "it is taken back already")
	require.Equal(t, Refused, b.book(t, day0, deposit("r-2", "STS", 500, 0, reverses("r-1"))).Outcome)
	lines, next, err := b.f.Lines(t.Context(), LineQuery{Type: journal.TypeDeposit})
	require.NoError(t, err)
	require.Empty(t, next)
	require.Len(t, lines, 2)
	require.Equal(t, lines[1].Entry, lines[0].Undone)
	require.Equal(t, "tok-1", lines[0].By)
	b.verify(t)
}

// In any order, in any files, with any repeats: the same sums; and what is
// taken back was never there.
func TestDepositsAddUpInAnyOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(rt, "n")
		var all, undo []journal.Line
		var want struct{ settled, deposited, fee city.Rupiah }
		for i := range n {
			gross := rapid.Int64Range(1, 1_000_000).Draw(rt, "gross")
			fee := rapid.Int64Range(0, gross).Draw(rt, "fee")
			kind := rapid.SampledFrom(DepositKinds).Draw(rt, "kind")
			d := deposit(fmt.Sprint("d-", i), kind, gross, fee, pbjt("op-1", "site-c"))
			all = append(all, d)
			if rapid.IntRange(0, 3).Draw(rt, "back") == 0 {
				undo = append(undo, deposit(fmt.Sprint("r-", i), kind, gross, fee, pbjt("op-1", "site-c"), reverses(d.Reference)))
				continue
			}
			if kind == settlement {
				want.settled += d.Net
				want.fee += d.Fee
			} else {
				want.deposited += d.Net
			}
		}
		b := newBench(rt)
		repeats := append(append([]journal.Line(nil), all...), rapid.SliceOfN(rapid.SampledFrom(all), 0, 10).Draw(rt, "repeats")...)
		for _, lines := range [][]journal.Line{repeats, append(append([]journal.Line(nil), undo...), undo...), all} {
			lines = rapid.Permutation(lines).Draw(rt, "order")
			for len(lines) > 0 {
				k := rapid.IntRange(1, len(lines)).Draw(rt, "file")
				require.Contains(rt, []Outcome{Booked, Known}, b.book(rt, day0, lines[:k]...).Outcome)
				lines = lines[k:]
			}
		}
		got := want
		got.settled, got.deposited, got.fee = 0, 0, 0
		for _, c := range b.credits(rt) {
			got.settled += c.Settled
			got.deposited += c.Deposited
			got.fee += c.Fee
		}
		require.Equal(rt, want, got)
	})
}

func TestWhatADepositMustBe(t *testing.T) {
	b := newBench(t)
	for field, change := range map[string]func(*journal.Deposit){
		"kind":        func(d *journal.Deposit) { d.Kind = "sspd" },
		"account":     func(d *journal.Deposit) { d.Account = "9.9" },
		"operator":    func(d *journal.Deposit) { d.Operator = "nobody" },
		"site":        func(d *journal.Deposit) { d.Site = "site-c" }, // another's
		"period_from": func(d *journal.Deposit) { d.PeriodFrom = "2026-02-30" },
		"period_to":   func(d *journal.Deposit) { d.PeriodTo = "2026-02-28" },
		"credited_on": func(d *journal.Deposit) { d.CreditedOn = "2026-03-03" }, // tomorrow
		"gross":       func(d *journal.Deposit) { d.Gross, d.Net = 0, 0 },
		"fee":         func(d *journal.Deposit) { d.Fee, d.Net = -1, d.Gross+1 },
		"net":         func(d *journal.Deposit) { d.Net-- },
		"reference":   func(d *journal.Deposit) { d.Reference = "a\nb" },
		"channel":     func(d *journal.Deposit) { d.Channel = "\xff" },
		"reverses":    func(d *journal.Deposit) { d.Reverses = d.Reference },
	} {
		v := b.book(t, day0, deposit("d-"+field, "STS", 500, 0, change))
		require.Equal(t, Refused, v.Outcome, field)
		require.Equal(t, field, v.Faults[0].Field, "%+v", v.Faults)
	}
	require.Empty(t, b.credits(t))
	b.verify(t)
}

// TestADepositFitsItsAccount: site-c changed from op-1 to op-2 on 2 March, and
// site-d from PBJT to a retribusi.
func TestADepositFitsItsAccount(t *testing.T) {
	files := testFiles()
	old := parseVersion(t, files)
	text := strings.Replace(string(files["sites.geojson"]), `"operator":"op-1"`, `"operator":"op-2"`, 1)
	text = strings.Replace(text, `"nopd":"NOPD-site-d","levy":"pbjt"`, `"nopd":"NOPD-site-d","levy":"special"`, 1)
	files["sites.geojson"] = []byte(text)
	b := benchOf(t, old, parseVersion(t, files))
	of := func(date string) func(*journal.Deposit) {
		return func(d *journal.Deposit) { d.PeriodFrom, d.PeriodTo, d.CreditedOn = date, date, "2026-03-10" }
	}
	account := func(account string) func(*journal.Deposit) { return func(d *journal.Deposit) { d.Account = account } }
	for i, x := range []struct {
		kind   string
		change []func(*journal.Deposit)
		field  string // "": booked
	}{
		{"SSPD", nil, "kind"},
		{"SSPD", []func(*journal.Deposit){pbjt("op-1", "")}, ""},
		{"STS", []func(*journal.Deposit){pbjt("op-1", "")}, ""}, // cash that a treasurer took
		{"settlement", nil, ""},
		{"settlement", []func(*journal.Deposit){pbjt("op-3", "site-e")}, ""},
		{"STS", []func(*journal.Deposit){account(accountSpecial)}, "account"}, // site-a is a street
		{"SSPD", []func(*journal.Deposit){pbjt("city", "site-a")}, "account"},
		{"SSPD", []func(*journal.Deposit){pbjt("op-1", "site-c"), of("2026-03-01")}, ""},
		{"SSPD", []func(*journal.Deposit){pbjt("op-2", "site-c"), of("2026-03-01")}, ""}, // it may be corrected late
		{"SSPD", []func(*journal.Deposit){pbjt("op-1", "site-c"), of("2026-03-02")}, "operator"},
		{"SSPD", []func(*journal.Deposit){pbjt("op-2", "site-c"), of("2026-03-02")}, ""},
		{"SSPD", []func(*journal.Deposit){pbjt("op-2", "site-d"), of("2026-03-01")}, ""},
		{"SSPD", []func(*journal.Deposit){pbjt("op-2", "site-d"), of("2026-03-02")}, "account"},
	} {
		v := b.book(t, day0+10*day, deposit(fmt.Sprint("d-", i), x.kind, 500, 0, x.change...))
		if x.field == "" {
			require.Equal(t, Booked, v.Outcome, "%d: %+v", i, v.Faults)
			continue
		}
		require.Equal(t, Refused, v.Outcome, i)
		require.Len(t, v.Faults, 1, i)
		require.Equal(t, x.field, v.Faults[0].Field, "%d: %+v", i, v.Faults)
	}
	b.verify(t)
}

func TestNothingIsTakenBackBeforeItCame(t *testing.T) {
	b := newBench(t)
	on := func(date string) func(*journal.Deposit) { return func(d *journal.Deposit) { d.CreditedOn = date } }
	b.book(t, day0, deposit("d-1", "STS", 500, 0))
	v := b.book(t, day0, deposit("d-2", "STS", 500, 0, reverses("d-1"), on("2026-03-01")))
	require.Equal(t, []Fault{{0, "credited_on", "lies before 2026-03-02, when what it takes back was credited: give the day on which it was taken back"}}, v.Faults)
	require.Equal(t, Booked, b.book(t, day0, deposit("d-3", "STS", 500, 0, reverses("d-1"))).Outcome)
	b.verify(t)
}

func TestReachedWaitsForTheFlush(t *testing.T) {
	b := newBench(t)
	done := make(chan error, 1)
	go func() { done <- b.f.Reached(t.Context(), 5) }()
	e := actOf(deposit("d-1", "STS", 1, 0))
	e.Pos, e.Recv = 5, day0
	require.NoError(t, b.f.Apply([]journal.Entry{e}))
	select {
	case <-done:
		require.Fail(t, "it is applied, not durable")
	default:
	}
	require.NoError(t, b.f.Flush())
	select {
	case err := <-done:
		require.NoError(t, err)
	case <-time.After(30 * time.Second):
		require.Fail(t, "not told")
	}
}

// However the journal is cut into batches, and built again from its begin: the
// file is the same, acts and all.
func TestAnyBatchesOfActsMakeTheSameBooks(t *testing.T) {
	m := &till{device: "meter-c", boot: 1}
	var readings []*city.Reading
	for i := range int64(60) {
		r := m.paper(day0+i*day/2-40*day, strconv.FormatInt(i%7, 10), 2000, city.Methods[i%4])
		r.Receipt.Void = i%5 == 4
		readings = append(readings, r)
	}
	entries := withActs(log(readings...))
	want := ""
	for _, most := range []int{len(entries), 1, 3, 10} {
		b := newBench(t)
		for rest := entries; len(rest) > 0; {
			n := min(most, len(rest))
			apply(t, b.f, rest[:n])
			rest = rest[n:]
			if most == 3 {
				b.reopen(t)
			}
		}
		got := dump(t, b.f)
		if want == "" {
			want = got
			b.verify(t)
			for _, table := range tables {
				require.NotContains(t, got, "-- "+table.name+"\n--", "%s is empty", table.name)
			}
		}
		require.Equal(t, want, got, "%d at once", most)
	}
}
