package escpos_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/wire/escpos"
)

// said is what a machine takes out of a stream that comes in pieces of size:
// the text with its line ends, what codes say, and the ends.
type said struct {
	text  string
	codes []string
	ends  int
	tally escpos.Tally
}

func hear(stream []byte, size int) (out said) {
	var m escpos.Machine
	var text []byte
	for len(stream) > 0 {
		piece := stream[:min(size, len(stream))]
		stream = stream[len(piece):]
		for len(piece) > 0 {
			n, p := m.Next(piece)
			piece = piece[n:]
			switch p.What { //nolint:exhaustive // the others say nothing
			case escpos.Text:
				text = append(text, p.Bytes...)
			case escpos.Space:
				text = append(text, ' ')
			case escpos.LineEnd:
				text = append(text, '\n')
			case escpos.Code:
				out.codes = append(out.codes, string(p.Bytes))
			case escpos.Cut, escpos.Initialise:
				out.ends++
			}
		}
	}
	out.text, out.tally = string(text), m.Tally
	return out
}

func TestMachine(t *testing.T) {
	for _, c := range []struct{ name, in, text string }{
		{"text", "AB\nC", "AB\nC"},
		{"layout", "A\tB\rC\x00\x07D\x0c", "A BCD\n"},
		{"arguments that look like text", "\x1b!Ax\x1baBy\x1dLABz", "xyz"},
		{"drawer", "\x1bp012x", "x"},
		{"cut with a feed and without", "a\x1dVAbc\x1dV0d", "acd"},
		{"columns of 8 and 24 dots", "\x1b*\x00\x02\x00ABx\x1b*\x21\x01\x00ABCy", "xy"},
		{"raster", "\x1dv0\x00\x02\x00\x02\x00ABCDx", "x"},
		{"a QR code's text is none", "\x1d(k\x06\x001P0ABCx", "x"},
		{"barcodes of both forms", "\x1dk\x04AB\x00x\x1dkI\x03ABCy", "xy"},
		{"stored images", "\x1cq\x02\x01\x00\x01\x00ABCDEFGH\x01\x00\x01\x00ABCDEFGHx", "x"},
		{"characters of one's own", "\x1b&\x03AB\x01ABC\x02ABCDEFx", "x"},
		{"tabs", "\x1bDABC\x00x", "x"},
		{"real time", "\x10\x04Ax\x10\x14\x01ABy", "xy"},
		{"an unknown command drops two bytes", "a\x1bZb", "ab"},
		{"so does one of an unknown mode", "a\x1dVZb", "aZb"},
		{"a command that was cut off by the next", "a\x1b\x1b!Ab", "ab"},
		{"a picture of four gigabytes is none", "\x1d8L\xff\xff\xff\xffx", "L\xff\xff\xff\xffx"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for size := 1; size <= len(c.in); size++ {
				require.Equal(t, c.text, hear([]byte(c.in), size).text, "in pieces of %d", size)
			}
		})
	}
	got := hear([]byte("\x1d(k\x06\x001P0ABC\x1dk\x04AB\x00\x1dkI\x00\x1b@"), 1)
	require.Equal(t, []string{"ABC", "AB", ""}, got.codes)
	require.Equal(t, 1, got.ends)
}

// TestRealStreams compares the text of real streams with what is left of them
// when each command in them is blanked by a pattern of its own. Only what 2D
// codes hold needs its length there, and it is read from the pattern's match.
func TestRealStreams(t *testing.T) {
	dir := os.Getenv("SIMPANG_ESCPOS_DATA")
	if dir == "" {
		dir = "../../../../shared/data/escpos"
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.bin"))
	require.NoError(t, err)
	if len(names) == 0 {
		t.Skip("real print streams are not here: put them into ../shared/data/escpos, or name their folder in SIMPANG_ESCPOS_DATA")
	}
	command := regexp.MustCompile(`(?s)\x1b[!Eat].|\x1b@|\x1d[hwH!].|\x1d[LW]..|\x1dVA\x03|\x1d\(k[\x03\x04]\x001[ACEQ]..?`)
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			stream, err := os.ReadFile(name)
			require.NoError(t, err)
			rest := withoutCodes(stream)
			rest = regexp.MustCompile(`(?s)\x1d\(k\x03\x00...`).ReplaceAll(rest, nil)
			rest = regexp.MustCompile(`(?s)\x1d\(k\x04\x00....`).ReplaceAll(rest, nil)
			rest = command.ReplaceAll(rest, nil)
			require.NotRegexp(t, `[\x00-\x09\x0b-\x1f\x7f]`, string(rest), "the other way has left a command over")
			for _, size := range []int{1, 7, len(stream)} {
				got := hear(stream, size)
				require.Equal(t, string(rest), got.text)
				require.Zero(t, got.tally.Dropped)
				require.Zero(t, got.tally.Unknown)
			}
			require.Len(t, prints(stream), 1)
		})
	}
}

// withoutCodes takes out barcodes and what 2D codes hold, byte by byte from the
// end, so that it shares no step with the machine.
func withoutCodes(stream []byte) []byte {
	out := bytes.Clone(stream)
	for i := range slices.Backward(stream) {
		switch {
		case bytes.HasPrefix(out[i:], []byte("\x1dk")) && out[i+2] >= 65:
			out = append(out[:i:i], out[i+4+int(out[i+3]):]...)
		case bytes.HasPrefix(out[i:], []byte("\x1dk")):
			out = append(out[:i:i], out[i+3+bytes.IndexByte(out[i+3:], 0)+1:]...)
		case bytes.HasPrefix(out[i:], []byte("\x1d(k")) && bytes.HasPrefix(out[i+5:], []byte("1P0")):
			out = append(out[:i:i], out[i+5+int(out[i+3])+256*int(out[i+4]):]...)
		}
	}
	return out
}

func TestNoiseIsNoise(t *testing.T) { // alone: it measures the heap
	dice := rand.NewChaCha8([32]byte{1})
	noise := make([]byte, 10<<20)
	_, _ = dice.Read(noise)
	var s escpos.Splitter
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	got, noisy := 0, 0
	for rest := noise; len(rest) > 0; {
		n, end := s.Feed(rest[:min(4096, len(rest))])
		rest = rest[n:]
		if end == "" {
			continue
		}
		p := s.Take(end)
		got++
		require.False(t, p.Sound(), "nothing said that it begins")
		require.LessOrEqual(t, len(p.Text), escpos.MaxText)
		if p.Noise() {
			noisy++
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	require.Positive(t, got)
	require.GreaterOrEqual(t, noisy*100, got*90, "%d of %d", noisy, got)
	require.Less(t, after.HeapAlloc, before.HeapAlloc+(1<<20), "it holds a few KiB")
	for _, c := range receipts {
		p := newPaper()
		c.stream(p)
		require.False(t, prints(p.Bytes())[0].Noise(), c.name)
	}
}

func FuzzMachine(f *testing.F) {
	for _, c := range receipts {
		p := newPaper()
		c.stream(p)
		if p.Len() < 4096 {
			f.Add(p.Bytes(), uint8(3))
		}
	}
	f.Add([]byte("a\x1dVZb\x1d8L\xff\xff\xff\xffx\x1cq\x02\x01\x00\x01\x00AB"), uint8(1))
	f.Fuzz(func(t *testing.T, stream []byte, size uint8) {
		whole, pieces := hear(stream, len(stream)+1), hear(stream, int(size)+1)
		require.Equal(t, whole, pieces, "the cuts of the stream do not matter")
		tally := whole.tally
		sum := tally.Text + tally.Layout + tally.Command + tally.Dropped
		require.LessOrEqual(t, sum, len(stream))
		require.LessOrEqual(t, len(stream)-sum, 8, "no byte is lost but those of a command that is not whole")
		printed := 0
		for _, c := range []byte(whole.text) {
			if c != '\n' {
				printed++
			}
		}
		require.GreaterOrEqual(t, printed, tally.Text)
		subsequence(t, whole.text, stream)
	})
}

// subsequence tells that nothing was made up and nothing changed its place.
func subsequence(t *testing.T, text string, stream []byte) {
	t.Helper()
	for _, c := range []byte(text) {
		if c == '\n' || c == ' ' {
			continue // made by commands too
		}
		i := bytes.IndexByte(stream, c)
		require.GreaterOrEqual(t, i, 0, "%q is not in the stream, or not there", c)
		stream = stream[i+1:]
	}
}

func FuzzDecode(f *testing.F) {
	templates := parkir(f)
	for _, c := range receipts {
		p := newPaper()
		c.stream(p)
		found := prints(p.Bytes())[0]
		f.Add(found.Text, true)
		e := found.Seal("T", 1, 2, came, "00")
		f.Add(string(e.Payload()), false)
	}
	f.Fuzz(func(t *testing.T, text string, isText bool) {
		payload := []byte(text)
		if isText {
			p := escpos.Print{Text: text, Whole: true, End: escpos.EndCut, Bytes: len(text)}
			e := p.Seal("T", 1, 2, came, "00")
			payload = e.Payload()
		}
		kept := bytes.Clone(payload)
		d, device := escpos.Decode(payload, templates)
		require.Equal(t, kept, payload)
		require.LessOrEqual(t, len(d.Readings)+len(d.Refused), 1)
		for _, r := range d.Readings {
			require.NotEmpty(t, device)
			require.NotNil(t, r.Receipt)
			require.NotEmpty(t, r.Receipt.Number)
			require.GreaterOrEqual(t, int64(r.Receipt.Amount), int64(0))
			require.NotEmpty(t, r.Receipt.Method.String())
		}
		for _, r := range d.Refused {
			require.NotEmpty(t, r.Reason)
			require.NotEmpty(t, r.Detail)
		}
	})
}
