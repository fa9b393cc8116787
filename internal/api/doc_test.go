package api

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/ledger"
)

var update = flag.Bool("update", false, "write the tables of docs/api.md that are made from the code")

const (
	apiDoc        = "../../docs/api.md"
	operationsDoc = "../../docs/operations.md"
)

// TestDocumentedRoutes holds the table of routes in docs/api.md to the table
// that the router is made of.
func TestDocumentedRoutes(t *testing.T) {
	const begin, end = "<!-- routes: go test ./internal/api -run Documented -update -->\n", "<!-- end of routes -->"
	data, err := os.ReadFile(apiDoc)
	require.NoError(t, err)
	head, rest, ok := strings.Cut(string(data), begin)
	require.True(t, ok, "%s lost the mark %q", apiDoc, begin)
	table, tail, ok := strings.Cut(rest, end)
	require.True(t, ok, "%s lost the mark %q", apiDoc, end)
	want := routeTable()
	if *update && table != want {
		require.NoError(t, os.WriteFile(apiDoc, []byte(head+begin+want+end+tail), 0o600))
		return
	}
	require.Equal(t, want, table, "run it again with -update and read the difference")
}

// routeTable writes every route as a row of Markdown.
func routeTable() string {
	var b strings.Builder
	b.WriteString("| request | who | parameters | formats |\n|---|---|---|---|\n")
	for _, t := range allRoutes() {
		who := "public"
		switch {
		case !t.public():
			names := make([]string, len(t.Roles))
			for i, role := range t.Roles {
				names[i] = string(role)
			}
			who = strings.Join(names, ", ")
		case t.Keyed:
			who = "api_key"
		case t.Staff:
			who = "public; a token shows more"
		}
		var params []string
		for i := range t.Params {
			if p := &t.Params[i]; !p.Path {
				params = append(params, paramWords(p))
			}
		}
		fmt.Fprintf(&b, "| `%s %s` | %s | %s | %s |\n", t.Method, t.Path, who, strings.Join(params, ", "), strings.Join(t.Formats, ", "))
	}
	return b.String()
}

// paramWords writes a parameter with its default, or a star where it must be
// given.
func paramWords(p *param) string {
	switch {
	case p.Required:
		return "`" + p.Name + "`*"
	case p.Default != "":
		return "`" + p.Name + "=" + p.Default + "`"
	default:
		return "`" + p.Name + "`"
	}
}

// TestDocumentedWords holds the documents to the closed sets of words: every
// flag of a receipt, every reason of the quarantine has its row.
func TestDocumentedWords(t *testing.T) {
	flags := rowsOf(t, apiDoc)
	for _, name := range (^ledger.Flags(0)).Names() {
		require.Contains(t, flags, name, "docs/api.md does not explain this flag of a receipt")
	}
	reasons := rowsOf(t, operationsDoc)
	for _, reason := range city.Reasons {
		require.Contains(t, reasons, string(reason), "docs/operations.md does not explain this reason")
	}
}

// rowsOf returns the words that begin the rows of a document's tables.
func rowsOf(t *testing.T, file string) map[string]bool {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	rows := map[string]bool{}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "| `"); ok {
			if word, _, ok := strings.Cut(rest, "` |"); ok {
				rows[word] = true
			}
		}
	}
	return rows
}
