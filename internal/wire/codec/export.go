package codec

import (
	"math"
	"math/big"
	"strings"

	"github.com/dop251/goja"
)

// export takes the output of decodeUplink out of its runtime. Getters and
// proxies run as part of the script; what is too large, too deep or cyclic is
// refused.
func export(vm *goja.Runtime, v goja.Value) (r Result) {
	x := &exporter{vm: vm, left: maxOutput}
	threw := vm.Try(func() { r = x.output(v) })
	if threw != nil {
		return failed(threw)
	}
	if x.tooBig {
		return Result{Failure: Big}
	}
	return r
}

type exporter struct {
	vm     *goja.Runtime
	left   int // bytes
	tooBig bool
}

func (x *exporter) output(v goja.Value) (r Result) {
	out, ok := v.(*goja.Object)
	if !ok || out.ClassName() == "Array" {
		return Result{Failure: Shape, Text: "decodeUplink must return an object with data, or with errors"}
	}
	r.Errors = x.notes(out.Get("errors"))
	r.Warnings = x.notes(out.Get("warnings"))
	if len(r.Errors) > 0 {
		return r
	}
	data, ok := x.value(out.Get("data"), 0).(map[string]any)
	if !ok && !x.tooBig {
		return Result{Failure: Shape, Text: "data in what decodeUplink returned must be an object"}
	}
	r.Data = data
	return r
}

// notes is a list of texts. TS013 has lists; one text is taken for a list of it.
func (x *exporter) notes(v goja.Value) (notes []string) {
	switch v := x.value(v, 0).(type) {
	case nil:
		return nil
	case []any:
		for _, item := range v[:min(len(v), maxNotes)] {
			text, ok := item.(string)
			if !ok {
				text = "(no text)"
			}
			notes = append(notes, clip(text))
		}
		return notes
	case string:
		return []string{clip(v)}
	}
	return []string{"(no text)"}
}

// spend takes bytes off what an output may have.
func (x *exporter) spend(n int) bool {
	if x.left -= n; x.left < 0 {
		x.tooBig = true
	}
	return !x.tooBig
}

// value is what JSON would say, but that a number that is none (NaN, endless)
// and a function are null, like undefined: the value is not known.
func (x *exporter) value(v goja.Value, depth int) any {
	if depth > maxDepth-1 {
		x.tooBig = true
	}
	if v == nil || !x.spend(2) || goja.IsUndefined(v) || goja.IsNull(v) {
		return nil
	}
	if object, ok := v.(*goja.Object); ok {
		return x.object(object, depth)
	}
	if s, ok := v.(goja.String); ok {
		return x.text(s)
	}
	if _, ok := v.(*goja.Symbol); ok {
		return nil
	}
	switch n := v.Export().(type) {
	case bool:
		return n
	case int64:
		return x.number(float64(n))
	case float64:
		return x.number(n)
	case *big.Int:
		if !n.IsInt64() { // it would be rounded, or endless
			return nil
		}
		return x.number(float64(n.Int64()))
	}
	return nil
}

func (x *exporter) number(f float64) any {
	if !x.spend(8) || math.IsNaN(f) || math.IsInf(f, 0) {
		return nil
	}
	return f
}

func (x *exporter) text(s goja.String) any {
	if s.Length() > maxText {
		x.tooBig = true
		return nil
	}
	text := strings.ToValidUTF8(s.String(), "?")
	if len(text) > maxText || !x.spend(len(text)) {
		x.tooBig = true
		return nil
	}
	return text
}

func (x *exporter) object(o *goja.Object, depth int) any {
	switch o.ClassName() {
	case "Function":
		return nil
	case "Number":
		return x.number(o.ToFloat())
	case "String":
		if s, ok := o.ToString().(goja.String); ok {
			return x.text(s)
		}
		return nil
	case "Date":
		iso, ok := goja.AssertFunction(o.Get("toJSON"))
		if !ok {
			return nil
		}
		v, err := iso(o)
		if err != nil {
			panic(err)
		}
		if s, ok := v.(goja.String); ok {
			return x.text(s)
		}
		return nil
	case "Array":
		n := o.Get("length").ToInteger()
		if n < 0 || n > int64(x.left) {
			x.tooBig = true
			return nil
		}
		list := make([]any, 0, n)
		for i := range int(n) {
			if list = append(list, x.value(o.Get(indexName(i)), depth+1)); x.tooBig {
				return nil
			}
		}
		return list
	}
	object := map[string]any{}
	for _, name := range o.Keys() {
		if !x.spend(len(name) + 2) {
			return nil
		}
		if object[strings.ToValidUTF8(name, "?")] = x.value(o.Get(name), depth+1); x.tooBig {
			return nil
		}
	}
	return object
}
