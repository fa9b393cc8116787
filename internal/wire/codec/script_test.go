package codec_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/wire/codec"
)

// within is a guard that stops a script after so long.
func within(d time.Duration) codec.Guard {
	return func(stop func()) func() {
		timer := time.AfterFunc(d, stop)
		return func() { timer.Stop() }
	}
}

func compiled(tb testing.TB, source string) *codec.Script {
	tb.Helper()
	s, r := codec.Compile(source)
	require.NotNil(tb, s, "%+v", r)
	return s
}

// run is decodeUplink of a body, which is stopped after so long.
func run(tb testing.TB, limit time.Duration, body string) codec.Result {
	tb.Helper()
	return compiled(tb, "function decodeUplink(input) {\n"+body+"\n}").Decode(codec.Call{Payload: []byte{1, 255}, Port: 7, At: 1_772_414_100_123}, within(limit))
}

func TestValues(t *testing.T) {
	for body, want := range map[string]any{
		`input.bytes`:                            []any{1.0, 255.0},
		`input.bytes.length + input.fPort`:       9.0,
		`input.recvTime`:                         "2026-03-02T01:15:00.123Z",
		`new Date()`:                             "2026-03-02T01:15:00.123Z",
		`[Date.now(), new Date().getHours()]`:    []any{1772414100123.0, 1.0},
		`new Date(NaN)`:                          nil,
		`NaN`:                                    nil,
		`-1 / 0`:                                 nil,
		`undefined`:                              nil,
		`function () {}`:                         nil,
		`Symbol("x")`:                            nil,
		`12n`:                                    12.0,
		`2n ** 64n`:                              nil,
		`Object(3.5)`:                            3.5,
		`new String("x")`:                        "x",
		`{a: {b: [null, true, "x"]}, toJSON: 1}`: map[string]any{"a": map[string]any{"b": []any{nil, true, "x"}}, "toJSON": 1.0},
		`"\ud800" + "\u00e9"`:                    "\ufffd\u00e9",
		`new Proxy({a: 1}, {get: function () { return 2 }})`:                                         map[string]any{"a": 2.0},
		`Object.defineProperty({}, "a", {enumerable: true, get: function () { return 3 }})`:          map[string]any{"a": 3.0},
		`typeof require + typeof process + typeof setTimeout + typeof fetch + typeof XMLHttpRequest`: strings.Repeat("undefined", 5),
		`console.log("x")`: nil,
		`(console.trace = 1, delete console.log, [console.warn("x"), console.trace, typeof console.log, "info" in console, console.other, Object.keys(console).join()])`: []any{nil, 1.0, "function", true, nil, "debug,error,info,log,trace,warn"},
		`Object(true)`: map[string]any{},
		`new DataView(Uint8Array.from(input.bytes).buffer).getUint16(0)`: 511.0,
		`new Map([[1, 2]])`: map[string]any{},
	} {
		r := run(t, time.Minute, "return {data: {v: "+body+"}};")
		require.Equal(t, codec.OK, r.Failure, "%s: %+v", body, r)
		require.Equal(t, map[string]any{"v": want}, r.Data, body)
	}
}

func TestShapes(t *testing.T) {
	for body, want := range map[string]codec.Result{
		`return {data: {}, warnings: ["low", 3]}`:               {Data: map[string]any{}, Warnings: []string{"low", "(no text)"}},
		`return {data: {}, errors: []}`:                         {Data: map[string]any{}},
		`return {errors: ["no such port"]}`:                     {Errors: []string{"no such port"}},
		`return {data: {a: 1}, errors: "bad"}`:                  {Errors: []string{"bad"}},
		`return {data: {a: 1}, errors: {}}`:                     {Errors: []string{"(no text)"}},
		`return {errors: [` + strings.Repeat(`"x",`, 40) + `]}`: {Errors: strings.Split(strings.Repeat("x", 16), "")},
		`return {data: [1]}`:                                    {Failure: codec.Shape, Text: "data in what decodeUplink returned must be an object"},
		`return {}`:                                             {Failure: codec.Shape, Text: "data in what decodeUplink returned must be an object"},
		`return "x"`:                                            {Failure: codec.Shape, Text: "decodeUplink must return an object with data, or with errors"},
		``:                                                      {Failure: codec.Shape, Text: "decodeUplink must return an object with data, or with errors"},
		`return Promise.resolve({data: {}})`:                    {Failure: codec.Shape, Text: "data in what decodeUplink returned must be an object"},
		"\nthrow new RangeError('odd')":                         {Failure: codec.Threw, Line: 3, Text: "RangeError: odd"},
		`throw "text"`:                                          {Failure: codec.Threw, Line: 2, Text: "text"},
		`throw {toString: function () { for (;;); }}`:           {Failure: codec.Threw, Line: 2},
		`throw null`:                                            {Failure: codec.Threw, Line: 2, Text: "null"},
	} {
		require.Equal(t, want, run(t, time.Minute, body), body)
	}
}

func TestAttacksThatTheInterpreterStops(t *testing.T) {
	for body, want := range map[string]codec.Failure{
		`for (;;);`: codec.Slow,
		`try { for (;;); } catch (e) { return {data: {}} } finally { return {data: {}} }`:                                 codec.Slow,
		`function f() { return f() } f()`:                                                                                 codec.Threw,
		`function f() { try { f() } catch (e) { } } f(); return {data: {}}`:                                               codec.Threw,
		`return {data: {get a() { for (;;); }}}`:                                                                          codec.Slow,
		`return {data: new Proxy({}, {ownKeys: function () { for (;;); }})}`:                                              codec.Slow,
		`return new Proxy({}, {get: function () { for (;;); }})`:                                                          codec.Slow,
		`throw new (class extends Error { toString() { for (;;); } })()`:                                                  codec.Slow,
		`var a = {}; a.a = a; return {data: a}`:                                                                           codec.Big,
		`var a = []; a[0] = a; return {data: {a: a}}`:                                                                     codec.Big,
		`return {data: {get a() { return this }}}`:                                                                        codec.Big,
		`return {data: {a: new Array(4294967295)}}`:                                                                       codec.Big,
		`return {data: {a: "x".repeat(10 << 20)}}`:                                                                        codec.Big,
		`throw "x".repeat(10 << 20)`:                                                                                      codec.Threw,
		`throw new Error("x".repeat(10 << 20))`:                                                                           codec.Threw,
		`return {errors: ["x".repeat(10 << 20)]}`:                                                                         codec.Big,
		`var d = {}; for (var i = 0; i < 9000; i++) d["k" + i] = i; return {data: d}`:                                     codec.Big,
		`return {data: {a: {length: 1e9}, b: new Proxy([], {get: function (t, k) { return k === "length" ? 1e9 : 1 }})}}`: codec.OK,
		`return {data: {a: new Date(8.64e15), b: Object.assign(new Date(0), {toJSON: function () { throw 1 }})}}`:         codec.Threw,
	} {
		limit := time.Minute
		if want == codec.Slow {
			limit = 50 * time.Millisecond
		}
		require.Equal(t, want, run(t, limit, body).Failure, body)
	}
}

// What one call did to the language and to the script is not there in the next.
func TestACallLeavesNothingBehind(t *testing.T) {
	s := compiled(t, `
var seen = 0, list = [];
function decodeUplink(input) {
  seen++; list.push(input.fPort);
  var before = {seen: seen, n: list.length, polluted: ({}).polluted, text: "x".polluted, own: typeof globalThis.mark, push: [].push.call.length, random: Math.random(), sym: Symbol.for("k") === globalThis.k, last: /a/g.lastIndex};
  Object.prototype.polluted = 1; String.prototype.polluted = 1; globalThis.mark = 1; globalThis.k = Symbol.for("k");
  Array.prototype.push = function () {}; Object.freeze(Math); decodeUplink.calls = 1; JSON.stringify = null; delete globalThis.Date;
  return {data: before};
}`)
	first := s.Decode(codec.Call{Port: 1}, within(time.Second))
	require.Equal(t, codec.OK, first.Failure, "%+v", first)
	require.InDelta(t, 1, first.Data["seen"], 0)
	require.Nil(t, first.Data["polluted"])
	for range 3 {
		require.Equal(t, first, s.Decode(codec.Call{Port: 2}, within(time.Second)))
	}
}

func TestCompile(t *testing.T) {
	for source, want := range map[string]codec.Result{
		"function decodeUplink(input) {\n  return {data: };\n}": {Failure: codec.Syntax, Line: 2, Text: "Unexpected token }"},
		"let a = 1;\nlet a = 2;":                                {Failure: codec.Syntax, Line: 2, Text: "Identifier 'a' has already been declared"},
		"\n\nimport x from 'y';":                                {Failure: codec.Syntax, Line: 3, Text: "Unexpected reserved word"},
	} {
		s, r := codec.Compile(source)
		require.Nil(t, s, source)
		require.Equal(t, want, r, source)
	}
	for source, want := range map[string]codec.Result{
		"function Decoder(bytes, port) {}":          {Failure: codec.NoDecode},
		"var decodeUplink = 3":                      {Failure: codec.NoDecode},
		"var decodeUplink = function () {}":         {Data: map[string]any{}},
		"\nrequire('fs')":                           {Failure: codec.Threw, Line: 2, Text: "ReferenceError: require is not defined"},
		"for (;;);":                                 {Failure: codec.Slow},
		"const decodeUplink = (i) => ({data: {}});": {Data: map[string]any{}},
	} {
		require.Equal(t, want, compiled(t, source).Check(within(100*time.Millisecond)), source)
	}
}

// A source map would be read from a file.
func TestNoFileIsOpened(t *testing.T) {
	secret := t.TempDir() + "/secret.map"
	require.NoError(t, os.WriteFile(secret, []byte("{not a map"), 0o600))
	for _, source := range []string{
		"function decodeUplink() { return {data: {}} }\n//# sourceMappingURL=" + secret,
		"function decodeUplink() { eval('1\\n//# sourceMappingURL=" + secret + "'); Function('1\\n//# sourceMappingURL=" + secret + "'); return {data: {}} }",
	} {
		require.Equal(t, codec.Result{Data: map[string]any{}}, compiled(t, source).Decode(codec.Call{}, within(time.Second)))
	}
}

func TestTold(t *testing.T) {
	script := `return {errors: ["unknown port " + input.fPort, "b\u0061d"]}`
	for text, want := range map[string]string{
		"unknown port 7 of B 1234 XYZ": "unknown port ...", "B 1234 XYZ": "", "unknown port ": "unknown port ", "": "", "un": "", "unk\xffown": "",
	} {
		require.Equal(t, want, codec.Told(script, text), text)
	}
}
