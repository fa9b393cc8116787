package strictyaml_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/strictyaml"
)

type even int

func (e *even) UnmarshalScalar(text string) error {
	if len(text)%2 != 0 {
		return errors.New("is odd: add a letter")
	}
	*e = even(len(text))
	return nil
}

type file struct {
	Name  string            `yaml:"name"`
	Count int64             `yaml:"count"`
	Share *float64          `yaml:"share"`
	On    bool              `yaml:"on"`
	Even  even              `yaml:"even"`
	List  []string          `yaml:"list"`
	Map   map[string]string `yaml:"map"`
	Deep  []struct {
		URL string `yaml:"url"`
	} `yaml:"deep"`
}

func TestDecode(t *testing.T) {
	t.Parallel()
	f := file{Name: "kept", Count: 7}
	doc, faults := strictyaml.Decode([]byte("\xef\xbb\xbfcount: 8\r\nshare: 0.5\r\neven: abcd\r\nlist: [32.75, true]\r\ndeep:\r\n  - url: x\r\n  - url: y\r\n"), &f)
	require.Empty(t, faults)
	require.Equal(t, "kept", f.Name)
	require.EqualValues(t, 8, f.Count)
	require.InDelta(t, 0.5, *f.Share, 0)
	require.Equal(t, even(4), f.Even)
	require.Equal(t, []string{"32.75", "true"}, f.List)
	require.Equal(t, "y", f.Deep[1].URL)
	require.Equal(t, 7, doc.Line("deep[1].url"))
	require.Equal(t, 7, doc.Line("deep[1].other"))
	require.Equal(t, 1, doc.Line("nowhere"))
	require.True(t, doc.Has("share"))
	require.False(t, doc.Has("on"))
}

func TestDecodeFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		want       []string // "line path: part of the message", in order
	}{
		{"many at once", "nam: x\ncount: many\non: yes\nshare: .nan\neven: abc\nlist: x\nmap: [a]\n", []string{
			"1 nam: did you mean name?", `2 count: "many" is no whole number`, `3 on: "yes" is neither`, `4 share: ".nan" is no number`,
			"5 even: is odd", "6 list: expected a list", "7 map: expected keys",
		}},
		{"twice", "name: a\nname: b\n", []string{"2 name: is there twice (first on line 1)"}},
		{"deep", "deep:\n  - url: a\n    ulr: b\n", []string{"3 deep[0].ulr: did you mean url?"}},
		{"no value", "name:\n", []string{"1 name: has no value"}},
		{"alias", "name: &a x\nlist: [*a]\n", []string{"2 list[0]: is an alias"}},
		{"merge", "<<: {name: a}\n", []string{"1 : a key is not a plain word"}},
		{"second document", "name: a\n---\nname: b\n", []string{"2 : a second YAML document"}},
		{"syntax", "name: [a\ncount: 1\n", []string{"1 : not YAML"}},
		{"not a mapping", "- a\n", []string{"1 : the file is a list"}},
		{"scalar is a group", "name: {a: b}\n", []string{"1 name: is a group of keys: give a text"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, faults := strictyaml.Decode([]byte(c.text), &file{})
			require.Len(t, faults, len(c.want), "%v", faults)
			for i, f := range faults {
				at, part, _ := strings.Cut(c.want[i], ": ")
				line, path, _ := strings.Cut(at, " ")
				require.Equal(t, path, f.Path)
				require.Equal(t, line, string(rune('0'+f.Line)))
				require.Contains(t, f.Message, part)
			}
		})
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	known := []string{"site", "segment", "interval_s", "id"}
	require.Equal(t, "interval_s", strictyaml.Nearest("Interval", known))
	require.Equal(t, "site", strictyaml.Nearest("stie", known))
	require.Empty(t, strictyaml.Nearest("zzzz", known))
	require.Equal(t, "remove it or use one of site, segment, interval_s, id", strictyaml.Suggest("zzzz", known))
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		"", "name: a\n", "deep: [{url: x}]\n", "a: &b [*b]\n", "? [a]\n: b\n", "---\n---\n", "name: !!binary AAA\n", "{", "\t", "map: {a: 1, a: 2}\n", "share: 1e400\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var into file
		doc, faults := strictyaml.Decode(data, &into)
		if doc == nil {
			t.Fatal("no doc")
		}
		for _, fault := range faults {
			if fault.Line < 1 || fault.Message == "" {
				t.Fatalf("fault without line or message: %+v", fault)
			}
		}
	})
}
