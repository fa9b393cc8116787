package codec

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr"
)

// functionNames are the functions of expressions; those with _ stand for
// operators.
var functionNames = map[string]int{
	"_get": 2, "_maybe": 2, "_equal": 2, "_mod": 2, "_in": 2,
	"abs": 1, "round": 1, "floor": 1, "ceil": 1, "int": 1, "number": 1, "min": 2, "max": 2, "len": 1, "lower": 1, "upper": 1, "trim": 1,
	"bitand": 2, "bitor": 2, "bitxor": 2, "shl": 2, "shr": 2,
}

func publicFunctions() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(functionNames)), func(s string) bool { return s[0] == '_' })
}

var functions = []expr.Option{
	expr.Function("_get", func(p ...any) (any, error) {
		v, err := member(p[0], p[1])
		if err == nil && v == nil {
			return nil, fmt.Errorf("there is no %s: write ?. before it where it may be missing", shownName(p[1]))
		}
		return v, err
	}, new(func(any, any) any)),
	expr.Function("_maybe", func(p ...any) (any, error) {
		if p[0] == nil {
			return nil, nil //nolint:nilnil // it is not known
		}
		return member(p[0], p[1])
	}, new(func(any, any) any)),
	expr.Function("_equal", func(p ...any) (any, error) { return equal(p[0], p[1]) }, new(func(any, any) bool)),
	expr.Function("_in", func(p ...any) (any, error) { return within(p[0], p[1]) }, new(func(any, any) bool)),
	arithmetic("_mod", func(a, b float64) (float64, error) {
		if b == 0 {
			return 0, errors.New("% by 0")
		}
		return math.Mod(a, b), nil
	}),
	arithmetic("min", func(a, b float64) (float64, error) { return min(a, b), nil }),
	arithmetic("max", func(a, b float64) (float64, error) { return max(a, b), nil }),
	bits("bitand", func(a, b int64) int64 { return a & b }),
	bits("bitor", func(a, b int64) int64 { return a | b }),
	bits("bitxor", func(a, b int64) int64 { return a ^ b }),
	bits("shl", func(a, b int64) int64 {
		if b > 53 || a > 1<<53>>b {
			return -1
		}
		return a << b
	}),
	bits("shr", func(a, b int64) int64 { return a >> min(b, 62) }),
	number("abs", math.Abs), number("round", math.Round), number("floor", math.Floor), number("ceil", math.Ceil), number("int", math.Trunc),
	expr.Function("number", func(p ...any) (any, error) {
		if text, ok := p[0].(string); ok {
			if f, err := strconv.ParseFloat(strings.TrimSpace(text), 64); err == nil && finite(f) {
				return f, nil
			}
			return nil, errors.New("number of a text that is none")
		}
		return numberOf("number", p[0])
	}, new(func(any) float64)),
	expr.Function("len", func(p ...any) (any, error) {
		switch v := p[0].(type) {
		case string:
			return float64(len([]rune(v))), nil
		case []any:
			return float64(len(v)), nil
		case map[string]any:
			return float64(len(v)), nil
		}
		return nil, fmt.Errorf("len of %s", typeOf(p[0]))
	}, new(func(any) float64)),
	text("lower", strings.ToLower), text("upper", strings.ToUpper), text("trim", strings.TrimSpace),
}

func number(name string, f func(float64) float64) expr.Option {
	return expr.Function(name, func(p ...any) (any, error) {
		n, err := numberOf(name, p[0])
		return f(n), err
	}, new(func(any) float64))
}

func arithmetic(name string, f func(a, b float64) (float64, error)) expr.Option {
	return expr.Function(name, func(p ...any) (any, error) {
		a, err := numberOf(name, p[0])
		b, other := numberOf(name, p[1])
		if err = errors.Join(err, other); err != nil {
			return nil, err
		}
		return f(a, b)
	}, new(func(any, any) float64))
}

func bits(name string, f func(a, b int64) int64) expr.Option {
	return arithmetic(name, func(a, b float64) (float64, error) {
		const most = 1 << 53
		if a < 0 || b < 0 || a > most || b > most || a != math.Trunc(a) || b != math.Trunc(b) {
			return 0, fmt.Errorf("%s is of whole numbers from 0 on", name)
		}
		n := f(int64(a), int64(b))
		if n < 0 {
			return 0, fmt.Errorf("%s gives more than %d", name, int64(most))
		}
		return float64(n), nil
	})
}

func text(name string, f func(string) string) expr.Option {
	return expr.Function(name, func(p ...any) (any, error) {
		s, ok := p[0].(string)
		if !ok {
			return nil, fmt.Errorf("%s of %s", name, typeOf(p[0]))
		}
		return f(s), nil
	}, new(func(any) string))
}

func numberOf(name string, v any) (float64, error) {
	f, ok := v.(float64)
	if !ok {
		return 0, fmt.Errorf("%s of %s", strings.Replace(name, "_mod", "%", 1), typeOf(v))
	}
	return f, nil
}

func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }

// member is a member of an object or an element of a list, nil where it has
// none.
func member(of, name any) (any, error) {
	switch of := of.(type) {
	case map[string]any:
		if s, ok := name.(string); ok {
			return of[s], nil
		}
		return nil, fmt.Errorf("a member has a name, and it is %s", typeOf(name))
	case []any:
		f, ok := name.(float64)
		if !ok || f != math.Trunc(f) {
			return nil, errors.New("an element of a list has a whole number")
		}
		if f < 0 || f >= float64(len(of)) {
			return nil, nil //nolint:nilnil // it is not known
		}
		return of[int(f)], nil
	}
	return nil, fmt.Errorf("%s is asked of %s, which is no object", shownName(name), typeOf(of))
}

// shownName is the name of a member as the expression writes it.
func shownName(name any) string {
	switch name := name.(type) {
	case string:
		return short(name)
	case float64:
		return "element " + strconv.FormatFloat(name, 'g', -1, 64)
	}
	return "such member"
}

// typeOf says what a value is, without the value.
func typeOf(v any) string {
	switch v.(type) {
	case nil:
		return "nil"
	case bool:
		return "true or false"
	case float64:
		return "a number"
	case string:
		return "a text"
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	}
	return "something else"
}

// equal compares two values of one type; nil is unlike all others.
func equal(a, b any) (bool, error) {
	switch a := a.(type) {
	case nil:
		return b == nil, nil
	case bool, float64, string:
		if b != nil && typeOf(a) != typeOf(b) {
			return false, fmt.Errorf("%s is compared with %s", typeOf(a), typeOf(b))
		}
		return a == b, nil
	}
	if b == nil {
		return false, nil
	}
	return false, fmt.Errorf("%s is compared: only true, false, numbers and texts can be", typeOf(a))
}

// within tells whether a list has a value, or an object a member.
func within(v, all any) (bool, error) {
	switch all := all.(type) {
	case map[string]any:
		name, ok := v.(string)
		if !ok {
			return false, fmt.Errorf("a member has a name, and it is %s", typeOf(v))
		}
		return all[name] != nil, nil
	case []any:
		for _, item := range all {
			if same, err := equal(v, item); same || err != nil {
				return same, err
			}
		}
		return false, nil
	}
	return false, fmt.Errorf("in is of a list or an object, not of %s", typeOf(all))
}
