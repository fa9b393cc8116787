package escpos_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/strictyaml"
	"github.com/simpang-id/simpang/internal/wire/escpos"
)

var wib = time.FixedZone("WIB", 7*3600)

// parkir are the templates that come with the program.
func parkir(tb testing.TB) *escpos.Templates {
	tb.Helper()
	data, err := os.ReadFile("../../../configs/templates/parkir.yaml")
	require.NoError(tb, err)
	var f escpos.File
	_, faults := strictyaml.Decode(data, &f)
	require.Empty(tb, faults)
	templates, problems := escpos.Compile(&f, wib)
	require.Empty(tb, problems)
	return templates
}

// prints cuts a stream that follows a cut; what is behind the last end is idle.
func prints(stream []byte) (out []escpos.Print) {
	var s escpos.Splitter
	s.Begin()
	for len(stream) > 0 {
		n, end := s.Feed(stream)
		stream = stream[n:]
		if end != "" {
			out = append(out, s.Take(end))
		}
	}
	if s.Going() {
		out = append(out, s.Take(escpos.EndIdle))
	}
	return out
}

func read(tb testing.TB, templates *escpos.Templates, p escpos.Print) ([]city.Reading, []city.Refusal) {
	tb.Helper()
	e := p.Seal("TILL-1", 5, 9, came, strings.Repeat("0", 64))
	d, device := escpos.Decode(e.Payload(), templates)
	require.Equal(tb, "TILL-1", device)
	return d.Readings, d.Refused
}

// came is when a print came, Unix ms: 2026-03-02 12:00 in Bekasi.
var came = time.Date(2026, 3, 2, 12, 0, 0, 0, wib).UnixMilli()

func at(text string) city.Int {
	v, err := time.ParseInLocation("2006-01-02 15:04:05", text, wib)
	if err != nil {
		panic(err)
	}
	return city.SomeInt(v.UnixMilli())
}

// receipts are twenty layouts of Indonesian parking, as streams.
var receipts = []struct {
	name   string
	stream func(p *paper)
	want   city.Receipt
	at     city.Int // none: when it came
}{
	{"a mall, logo above", func(p *paper) {
		p.init().centre().raster(48, 90).lines("", "PLAZA PEKAYON").bold(1).lines("STRUK PARKIR").bold(0).raw(0x1b, 'a', 0).lines(
			"No. Struk  : PP-000123", "Nopol      : B 1234 KXY", "Jenis      : MOBIL", "Masuk      : 02/03/2026 08:15:20",
			"Keluar     : 02/03/2026 10:47:05", "Lama       : 2 jam 31 menit", "TOTAL      : Rp 8.000", "Tunai").kick().raw(0x1b, 'd', 4).cut()
	}, city.Receipt{Number: "PP-000123", Amount: 8000, Method: city.Cash, Class: city.Car, Plate: "B 1234 KXY", EnteredAt: at("2026-03-02 08:15:20"), LeftAt: at("2026-03-02 10:47:05")}, at("2026-03-02 10:47:05")},
	{"its void", func(p *paper) {
		p.init().lines("PLAZA PEKAYON", "STRUK PARKIR", "*** BATAL ***", "No. Struk  : PP-000123", "Nopol : B 1234 KXY", "Dibatalkan: 02/03/2026 10:52:00", "TOTAL      : Rp -8.000", "TUNAI").cut()
	}, city.Receipt{Number: "PP-000123", Amount: 8000, Method: city.Cash, Void: true, Plate: "B 1234 KXY"}, at("2026-03-02 10:52:00")},
	{"its reprint", func(p *paper) {
		p.init().lines("PLAZA PEKAYON", "STRUK PARKIR", "** CETAK ULANG / COPY **", "No. Struk  : PP-000123", "TOTAL      : Rp 8.000", "TUNAI", "Dicetak : 02/03/2026 11:00:00").cutNow()
	}, city.Receipt{Number: "PP-000123", Amount: 8000, Method: city.Cash}, at("2026-03-02 11:00:00")},
	{"a street's karcis", func(p *paper) {
		p.init().centre().lines("PEMERINTAH KOTA BEKASI", "DINAS PERHUBUNGAN", "RETRIBUSI PARKIR TEPI JALAN UMUM", "MOTOR", "No. TJU/26/000417", "Tarif : Rp 2.000,-", "Tgl : 2 Mar 2026 09:05").cut()
	}, city.Receipt{Number: "TJU/26/000417", Amount: 2000, Method: city.Cash, Class: city.Motorcycle}, at("2026-03-02 09:05:00")},
	{"a street's karcis by QRIS", func(p *paper) {
		p.init().lines("DISHUB - PARKIR TEPI JALAN", "MOBIL  R4", "Nomor Seri: 88123", "Retribusi = 3.000", "Tanggal: 02-03-2026 09:06", "Plat: B 77 A", "Bayar QRIS").qr("00020101021226TOTAL 1.000").lines("").cut()
	}, city.Receipt{Number: "88123", Amount: 3000, Method: city.QRIS, Class: city.Car, Plate: "B 77 A"}, at("2026-03-02 09:06:00")},
	{"large total in bold", func(p *paper) {
		p.init().lines("PARKIR RS MITRA", "Tiket No: 55010").large().text("TOT").bold(1).text("AL ").small().text("Rp").bold(0).lines(" 15.000", "Flazz ****1234").cut()
	}, city.Receipt{Number: "55010", Amount: 15000, Method: city.EMoney}, city.Int{}},
	{"the value on the next line", func(p *paper) {
		p.init().lines("Parkir Stasiun", "Nomor Transaksi", "  2603020007", "TOTAL BAYAR", "      Rp. 4.000", "E-Money").cut()
	}, city.Receipt{Number: "2603020007", Amount: 4000, Method: city.EMoney}, city.Int{}},
	{"columns by print position", func(p *paper) {
		p.init().lines("PARKIR PASAR BARU").text("No.Trx").at(200).lines("A-9").text("Masuk").at(200).lines("07:10").text("Keluar").at(200).lines("09:45").text("Tanggal").at(200).lines("02/03/2026").text("Total").at(200).lines("5.000").lines("Cash").kick().cut()
	}, city.Receipt{Number: "A-9", Amount: 5000, Method: city.Cash, EnteredAt: at("2026-03-02 07:10:00"), LeftAt: at("2026-03-02 09:45:00")}, at("2026-03-02 09:45:00")},
	{"two digits of the year, dots in the time", func(p *paper) {
		p.init().lines("GEDUNG PARKIR", "No. Karcis: 000931", "Masuk  : 02-03-26 07.59", "Keluar : 02-03-26 10.01", "Biaya Parkir : Rp 6.000", "Kartu Debit BCA").cut()
	}, city.Receipt{Number: "000931", Amount: 6000, Method: city.Card, EnteredAt: at("2026-03-02 07:59:00"), LeftAt: at("2026-03-02 10:01:00")}, at("2026-03-02 10:01:00")},
	{"names of months", func(p *paper) {
		p.init().lines("AREA PARKIR KANTOR", "NO NOTA : N77", "Jam Masuk : 28 Februari 2026 23:50", "Jam Keluar: 01 Maret 2026 00:20", "JUMLAH : IDR 3.000", "TUNAI 5.000", "KEMBALI 2.000").cut()
	}, city.Receipt{Number: "N77", Amount: 3000, Method: city.Cash, EnteredAt: at("2026-02-28 23:50:00"), LeftAt: at("2026-03-01 00:20:00")}, at("2026-03-01 00:20:00")},
	{"thousands by commas", func(p *paper) {
		p.init().lines("PARKING MEGA", "Ticket No: 1002-77", "Plate: B 2 ZZ", "In : 2026-03-02 06:00:00", "Out: 2026-03-02 11:59:00", "Grand Total: Rp 12,500.00", "CASH").cut()
	}, city.Receipt{Number: "1002-77", Amount: 12500, Method: city.Cash, Plate: "B 2 ZZ", EnteredAt: at("2026-03-02 06:00:00"), LeftAt: at("2026-03-02 11:59:00")}, at("2026-03-02 11:59:00")},
	{"no cents", func(p *paper) {
		p.init().lines("SISTEM PARKIR", "No Bukti: 31", "Total : Rp 1.012.500,00", "Tunai").cut()
	}, city.Receipt{Number: "31", Amount: 1012500, Method: city.Cash}, city.Int{}},
	{"free", func(p *paper) {
		p.init().lines("PARKIR RSUD", "No. Tiket: G-5", "TOTAL Rp 0", "GRATIS").cut()
	}, city.Receipt{Number: "G-5", Amount: 0, Method: city.Free}, city.Int{}},
	{"a member", func(p *paper) {
		p.init().lines("PARKIR APARTEMEN", "No. Tiket: M-5", "MEMBER UNIT A", "MOTOR", "TOTAL : 0").cut()
	}, city.Receipt{Number: "M-5", Amount: 0, Method: city.Subscription, Class: city.Motorcycle}, city.Int{}},
	{"the number in a barcode", func(p *paper) {
		p.init().columns(200).columns(180).lines("PARKIR MALL", "KELUAR: 02/03/2026 09:00", "TOTAL: Rp7.000", "BRIZZI").code128("TKT-0099123").lines("").cut()
	}, city.Receipt{Number: "TKT-0099123", Amount: 7000, Method: city.EMoney, LeftAt: at("2026-03-02 09:00:00")}, at("2026-03-02 09:00:00")},
	{"the number in a QR code", func(p *paper) {
		p.init().lines("e-PARKIR", "MOBIL BOX", "TOTAL BIAYA: Rp 10.000", "TUNAI").qr("https://parkir.example/s?tiket=ZX-81&total=1").cut()
	}, city.Receipt{Number: "ZX-81", Amount: 10000, Method: city.Cash}, city.Int{}},
	{"a large picture between the lines", func(p *paper) {
		p.init().lines("PARKIR BANDARA", "No. Struk: BDR/7").graphics(70_000).lines("TOTAL = Rp 25.000", "E-Toll").code39("TRAP-9").lines("").raster(72, 300).cut()
	}, city.Receipt{Number: "BDR/7", Amount: 25000, Method: city.EMoney}, city.Int{}},
	{"another code page", func(p *paper) {
		p.init().raw(0x1b, 't', 16).lines("CAF\xc9 & PARKIR \xa9", "Struk: 12/3", "Total: Rp 2.000", "QRIS").cut()
	}, city.Receipt{Number: "12/3", Amount: 2000, Method: city.QRIS}, city.Int{}},
	{"no cut, the next begins", func(p *paper) {
		p.init().lines("PARKIR TAMAN", "No. Resi: 8", "Total 1.000", "Tunai").init()
	}, city.Receipt{Number: "8", Amount: 1000, Method: city.Cash}, city.Int{}},
	{"no end but silence, a stay past midnight", func(p *paper) {
		p.lines("PARKIR INAP", "No. Tiket : 640", "Tgl : 02/03/2026", "Masuk : 22:10", "Keluar : 06:30", "Denda tiket hilang : Rp 20.000", "Parkir : Rp 30.000", "GRAND TOTAL : Rp 50.000", "TUNAI")
	}, city.Receipt{Number: "640", Amount: 50000, Method: city.Cash, LeftAt: at("2026-03-02 06:30:00")}, at("2026-03-02 06:30:00")},
}

func TestTwentyReceipts(t *testing.T) {
	templates := parkir(t)
	require.Len(t, receipts, 20)
	all := newPaper()
	for _, c := range receipts {
		t.Run(c.name, func(t *testing.T) {
			p := newPaper()
			c.stream(p)
			all.Write(p.Bytes())
			found := prints(p.Bytes())
			require.Len(t, found, 1, "%+v", found)
			readings, refused := read(t, templates, found[0])
			require.Empty(t, refused)
			require.Len(t, readings, 1)
			want := c.at
			if !want.OK {
				want = city.SomeInt(came)
			}
			require.Equal(t, city.Reading{Device: "TILL-1", Kind: city.KindReceipt, HasBoot: true, Boot: 5, Seq: 9, At: want.V, Receipt: &c.want}, readings[0])
		})
	}
	var sum, want city.Rupiah
	found := prints(all.Bytes())
	require.Len(t, found, len(receipts), "one after the other as well")
	for i, p := range found {
		readings, refused := read(t, templates, p)
		require.Empty(t, refused)
		sum += readings[0].Receipt.Amount
		want += receipts[i].want.Amount
	}
	require.Equal(t, want, sum)
}

func TestWhatIsNoReceipt(t *testing.T) {
	templates := parkir(t)
	good := []string{"STRUK PARKIR", "No. Struk: 1", "TOTAL: Rp 5.000", "TUNAI"}
	with := func(more ...string) string {
		return strings.Join(append(append([]string{}, good...), more...), "\n") + "\n"
	}
	for name, c := range map[string]struct {
		text   string
		reason city.Reason // "": it is known
	}{
		"a shift's report":    {"LAPORAN SHIFT PARKIR\nTOTAL : Rp 1.500.000\nTUNAI\nNo. Struk: 7\n", ""},
		"a ticket of entry":   {"PARKIR\nTIKET MASUK\nNo. Tiket: 9\nB 1 A\n", ""},
		"another trade":       {"WARUNG MAKAN\nTotal: Rp 30.000\nTunai\n", city.ReasonUnreadPrint},
		"two totals":          {with("TOTAL: Rp 6.000"), city.ReasonUnreadPrint},
		"the same total":      {with("TOTAL: Rp 5.000"), "read"},
		"two numbers":         {with("No. Struk: 2"), city.ReasonUnreadPrint},
		"two methods":         {with("QRIS"), city.ReasonUnreadPrint},
		"no number":           {"PARKIR\nTotal: Rp 5.000\nTunai\n", city.ReasonUnreadPrint},
		"no amount":           {"PARKIR\nNo. Struk: 1\nTunai\n", city.ReasonUnreadPrint},
		"no method":           {"PARKIR\nNo. Struk: 1\nTotal: Rp 5.000\n", city.ReasonUnreadPrint},
		"cents":               {"PARKIR\nNo. Struk: 1\nTotal: Rp 5.00\nTunai\n", city.ReasonUnreadPrint},
		"a sum below zero":    {"PARKIR\nNo. Struk: 1\nTotal: Rp -5.000\nTunai\n", city.ReasonUnreadPrint},
		"a time unknown":      {with("Keluar: 32/01/2026 10:00"), city.ReasonUnreadPrint},
		"a time without date": {with("Keluar: 10:00"), city.ReasonUnreadPrint},
		"the plate as number": {"PARKIR\nNo. Struk: X-B1234KXY\nNopol: B 1234 KXY\nTotal: Rp 5.000\nTunai\n", city.ReasonUnreadPrint},
	} {
		t.Run(name, func(t *testing.T) {
			found := prints([]byte(c.text))
			require.Len(t, found, 1)
			readings, refused := read(t, templates, found[0])
			switch c.reason {
			case "":
				require.Empty(t, readings)
				require.Empty(t, refused)
			case "read":
				require.Len(t, readings, 1)
			default:
				require.Empty(t, readings)
				require.Len(t, refused, 1)
				require.Equal(t, c.reason, refused[0].Reason)
				require.Equal(t, city.SomeInt(9), refused[0].Seq)
				for _, word := range []string{"1234", "KXY", "5.000", "6.000"} {
					require.NotContains(t, refused[0].Detail, word, "a word of the paper")
				}
			}
		})
	}
}

func TestNoAmountOfAPart(t *testing.T) {
	t.Parallel()
	templates := parkir(t)
	p := newPaper()
	receipts[0].stream(p)
	stream := p.Bytes()
	for cut := 1; cut < len(stream); cut += 7 {
		s := escpos.NewSplitter()
		for rest := stream[cut:]; len(rest) > 0; {
			n, end := s.Feed(rest)
			rest = rest[n:]
			if end == "" {
				end = escpos.EndIdle
			}
			readings, refused := read(t, templates, s.Take(end))
			require.Empty(t, readings, "from byte %d on", cut)
			require.Contains(t, []city.Reason{city.ReasonPartPrint, city.ReasonNotPrint}, refused[0].Reason)
		}

		var head escpos.Splitter
		head.Begin()
		_, end := head.Feed(stream[:cut])
		require.Empty(t, end)
		readings, refused := read(t, templates, head.Take(escpos.EndStopped))
		require.Empty(t, readings, "up to byte %d", cut)
		require.Contains(t, []city.Reason{city.ReasonPartPrint, city.ReasonNotPrint}, refused[0].Reason)
	}
}

func TestBeginnings(t *testing.T) {
	t.Parallel()
	whole := func(stream string) (out []bool) {
		s := escpos.NewSplitter()
		for rest := []byte(stream); len(rest) > 0; {
			n, end := s.Feed(rest)
			rest = rest[n:]
			if end != "" {
				p := s.Take(end)
				out = append(out, p.Whole)
			}
		}
		return out
	}
	const cut, init, kick = "\x1dV\x00", "\x1b@", "\x1bp\x00\x19\xfa"
	require.Equal(t, []bool{true, true}, whole(init+"a\n"+cut+"b\n"+cut), "ESC @ as the first of all")
	require.Equal(t, []bool{false, false}, whole("a\n"+cut+"b\n"+cut), "it may be an image's middle")
	require.Equal(t, []bool{false, false}, whole("a\n"+init+"b\n"+cut), "and that ESC @ its bytes")
	require.Equal(t, []bool{false, true, true}, whole("a\n"+cut+kick+init+"b\n"+cut+"c\n"+cut), "a cut and ESC @ do not come by chance")
	require.Equal(t, []bool{false, false}, whole("a\n"+cut+"\x02"+init+"b\n"+cut))
}

func TestRupiah(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]city.Rupiah{
		"5.000": 5000, "Rp5.000,-": 5000, "Rp. 5.000,00": 5000, "IDR 12.500": 12500, "5000": 5000, "0": 0, "Rp 1.234.567": 1234567, "Rp.500": 500, "rp 2000 ": 2000,
	} {
		got, negative, ok := escpos.Rupiah(text, false)
		require.True(t, ok, text)
		require.False(t, negative, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"-5.000", "Rp -5.000", "- Rp 5.000", "(Rp 5.000)", "(5.000)"} {
		got, negative, ok := escpos.Rupiah(text, false)
		require.True(t, ok && negative, text)
		require.Equal(t, city.Rupiah(5000), got, text)
	}
	for _, text := range []string{"", "Rp", "5,000", "5.00", "5.0000", "5.000,50", "5,5", ".500", "1.2.3", "12.5000", "(5.000", "-(5.000)", "--5", "5 000", "9.999.999.999.999.999", "٥"} {
		_, _, ok := escpos.Rupiah(text, false)
		require.False(t, ok, text)
	}
	got, _, ok := escpos.Rupiah("Rp 12,500.00", true)
	require.True(t, ok)
	require.Equal(t, city.Rupiah(12500), got)
	_, _, ok = escpos.Rupiah("12.500", true)
	require.False(t, ok, "dots are no thousands there")
}
