package escpos_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/strictyaml"
	"github.com/simpang-id/simpang/internal/wire/escpos"
)

func TestCompileTellsEveryFault(t *testing.T) {
	t.Parallel()
	file := &escpos.File{Templates: []escpos.Layout{
		{Name: "a", Match: []string{"x"}, Number: []string{"no (\\d+)"}, Amount: []string{"total (\\d+)"}, Method: "cash"},
		{
			Name: "a", Kind: "paper", Match: []string{"(", ".*"}, Thousands: "space", Method: "shells", Class: "boat",
			Methods: map[string][]string{"coins": {"c"}}, Classes: map[string][]string{"ship": {"s"}}, Times: []string{"DD/MM", "hh:mm", "DD/DD/YYYY", "YYYY"},
		},
		{Name: "b", Entered: []string{"masuk \\d+"}},
		{Kind: "other", Match: []string{"x"}, Amount: []string{"(a)(b)"}},
	}}
	_, problems := escpos.Compile(file, wib)
	var got []string
	for _, p := range problems {
		require.NotEmpty(t, p.Message)
		got = append(got, p.Path)
	}
	require.Equal(t, []string{
		"templates[1].name", "templates[1].match[0]", "templates[1].match[1]", "templates[1].thousands", "templates[1].method", "templates[1].class",
		"templates[1].methods", "templates[1].classes", "templates[1].times[0]", "templates[1].times[1]", "templates[1].times[2]", "templates[1].times[3]", "templates[1].kind",
		"templates[2].entered[0]", "templates[2].match", "templates[2].number", "templates[2].amount", "templates[2].method", "templates[2].times",
		"templates[3].name", "templates[3].amount[0]", "templates[3].kind",
	}, got)
	_, problems = escpos.Compile(&escpos.File{}, wib)
	require.Len(t, problems, 1)
}

// FuzzCompile: a file of templates is refused with places and words, or reads
// any print without harm.
func FuzzCompile(f *testing.F) {
	text, err := os.ReadFile("../../../configs/templates/parkir.yaml")
	require.NoError(f, err)
	f.Add(text, "PARKIR\nNo. Struk: 1\nTOTAL: Rp 5.000\nTUNAI\n")
	f.Add([]byte("templates: [{name: a, match: [x], number: ['(x)'], amount: ['(\\d+)'], method: cash, at: ['(.+)'], times: [DD MMM YY HH.mm]}]"), "x 1 2 Mei 26 10.00")
	f.Add([]byte("templates: [{kind: other}]"), "")
	f.Fuzz(func(t *testing.T, file []byte, print string) {
		var in escpos.File
		if _, faults := strictyaml.Decode(file, &in); len(faults) > 0 {
			return
		}
		templates, problems := escpos.Compile(&in, wib)
		require.Equal(t, templates == nil, len(problems) > 0)
		for _, p := range problems {
			require.NotEmpty(t, p.Path)
			require.NotEmpty(t, p.Message)
		}
		if templates == nil {
			return
		}
		p := escpos.Print{Text: print, Whole: true, End: escpos.EndCut, Bytes: len(print)}
		e := p.Seal("T", 1, 2, came, "00")
		d, _ := escpos.Decode(e.Payload(), templates)
		require.LessOrEqual(t, len(d.Readings)+len(d.Refused), 1)
	})
}
