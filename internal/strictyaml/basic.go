package strictyaml

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// basic sets a string, bool, integer or float. A string takes any scalar as it
// is written, so that 32.75 need not be quoted.
func (d *decoder) basic(n *yaml.Node, v reflect.Value, path string) {
	want := map[reflect.Kind]string{reflect.String: "a text", reflect.Bool: "true or false", reflect.Float64: "a number"}[v.Kind()]
	if want == "" {
		want = "a whole number"
	}
	d.scalar(n, path, want, func(text string) error { return SetBasic(v, text) })
}

// SetBasic sets v, a string, bool, int, int64 or float64, from its text.
func SetBasic(v reflect.Value, text string) error {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		if text != "true" && text != "false" {
			return fmt.Errorf("%q is neither true nor false: write one of them", cut(text))
		}
		v.SetBool(text == "true")
	case reflect.Int, reflect.Int64:
		i, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return fmt.Errorf("%q is no whole number: write digits only", cut(text))
		}
		v.SetInt(i)
	case reflect.Float64:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
			return fmt.Errorf("%q is no number: write it like 3.5", cut(text))
		}
		v.SetFloat(f)
	default:
		return errors.New("cannot be set as one value: write it in the file")
	}
	return nil
}

func cut(s string) string {
	if len(s) > 60 {
		return s[:60]
	}
	return s
}

// Suggest says what to write instead of an unknown word: the nearest known
// one where it is near, else the list.
func Suggest(word string, known []string) string {
	if near := Nearest(word, known); near != "" {
		return fmt.Sprintf("did you mean %s? (known: %s)", near, strings.Join(known, ", "))
	}
	return "remove it or use one of " + strings.Join(known, ", ")
}

// Nearest returns the known word that is nearest to word, "" where none is
// near: more than about a third of its letters would have to change.
func Nearest(word string, known []string) string {
	word = strings.ToLower(cut(word))
	best, at := "", -1
	for _, k := range known {
		if d := distance(word, strings.ToLower(k)); d <= (len(k)+2)/3 && 2*d <= max(len(k), len(word)) && (at < 0 || d < at) {
			best, at = k, d
		}
	}
	return best
}

// distance is Levenshtein's, in bytes, with neighbours that changed places as
// one change.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			best := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				best = min(best, rows[i-2][j-2]+1)
			}
			rows[i][j] = best
		}
	}
	return rows[len(a)][len(b)]
}
