package codec

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/dop251/goja"
	"github.com/dop251/goja/parser"
)

// maxCalls is how deep functions of a script may call each other.
const maxCalls = 500

// Script is a codec's JavaScript, compiled. It keeps nothing between two calls:
// each has a runtime of its own, in which the script is run anew.
type Script struct{ program *goja.Program }

// Compile compiles a script; the result tells why where it is nil. Its syntax
// is that of ES2017 and some of what came later, as goja knows it.
func Compile(source string) (*Script, Result) {
	parsed, err := parser.ParseFile(nil, "", source, 0, parser.WithDisableSourceMaps) // those would be read from files
	if err == nil {
		var program *goja.Program
		if program, err = goja.CompileAST(parsed, false); err == nil {
			return &Script{program}, Result{}
		}
	}
	r := Result{Failure: Syntax, Text: clip(err.Error())}
	if list, ok := errors.AsType[parser.ErrorList](err); ok && len(list) > 0 {
		r.Line, r.Text = list[0].Position.Line, clip(list[0].Message)
	}
	if wrong, ok := errors.AsType[*goja.CompilerSyntaxError](err); ok && wrong.File != nil {
		r.Line, r.Text = wrong.File.Position(wrong.Offset).Line, clip(wrong.Message)
	}
	return nil, r
}

// Check runs the script itself and looks for its function.
func (s *Script) Check(guard Guard) Result {
	return s.run(Call{}, guard, func(*goja.Runtime, goja.Callable) Result { return Result{Data: map[string]any{}} })
}

// Guard is told how to stop a script before it runs, and returns what is called
// once it has ended. Built-in functions cannot be stopped: who needs that ends
// the process.
type Guard func(stop func()) (ended func())

// Decode calls decodeUplink. It does not return before the script does.
func (s *Script) Decode(c Call, guard Guard) Result {
	return s.run(c, guard, func(vm *goja.Runtime, decode goja.Callable) Result {
		input := vm.NewObject()
		list := make([]any, len(c.Payload))
		for i, b := range c.Payload {
			list[i] = int64(b)
		}
		received, err := vm.New(vm.Get("Date"), vm.ToValue(c.At))
		if err != nil {
			return failed(err)
		}
		for name, v := range map[string]any{"bytes": vm.NewArray(list...), "fPort": int64(c.Port), "recvTime": received} {
			if err := input.Set(name, v); err != nil {
				return failed(err)
			}
		}
		out, err := decode(goja.Undefined(), input)
		if err != nil {
			return failed(err)
		}
		return export(vm, out)
	})
}

// run makes a runtime in which nothing is known but the language, whose clock
// stands still, and whose chance is the same each time.
func (s *Script) run(c Call, guard Guard, then func(*goja.Runtime, goja.Callable) Result) (r Result) {
	defer func() {
		if p := recover(); p != nil { // the interpreter broke
			if err, ok := p.(error); ok {
				r = failed(err)
				return
			}
			r = Result{Failure: Crashed, Text: clip(fmt.Sprint(p))}
		}
	}()
	vm := goja.New()
	vm.SetParserOptions(parser.WithDisableSourceMaps) // of eval
	vm.SetMaxCallStackSize(maxCalls)
	now := time.UnixMilli(c.At).UTC()
	vm.SetTimeSource(func() time.Time { return now })
	vm.SetRandSource(rand.New(rand.NewPCG(1, 2)).Float64)
	if err := vm.Set("console", vm.NewDynamicObject(&console{vm: vm})); err != nil {
		return failed(err)
	}
	defer guard(func() { vm.Interrupt("too slow") })()
	if _, err := vm.RunProgram(s.program); err != nil {
		return failed(err)
	}
	decode, ok := goja.AssertFunction(vm.Get("decodeUplink"))
	if !ok {
		return Result{Failure: NoDecode}
	}
	return then(vm, decode)
}

// failed tells what an error of the interpreter was.
func failed(err error) Result {
	if _, ok := errors.AsType[*goja.InterruptedError](err); ok {
		return Result{Failure: Slow}
	}
	if over, ok := errors.AsType[*goja.StackOverflowError](err); ok {
		return Result{Failure: Threw, Line: lineOf(over.Stack()), Text: fmt.Sprintf("functions call each other over %d deep", maxCalls)}
	}
	if threw, ok := errors.AsType[*goja.Exception](err); ok {
		return Result{Failure: Threw, Line: lineOf(threw.Stack()), Text: thrown(threw)}
	}
	return Result{Failure: Crashed, Text: clip(err.Error())}
}

// thrown is what an exception says. What is no Error is not asked: it could
// have a toString of its own.
func thrown(e *goja.Exception) string {
	object, ok := e.Value().(*goja.Object)
	if !ok {
		if s, isText := e.Value().(goja.String); isText && s.Length() > maxText {
			return ""
		}
		return clip(e.Value().String())
	}
	if object.ClassName() != "Error" {
		return ""
	}
	return clip(object.String())
}

func lineOf(stack []goja.StackFrame) int {
	for i := range stack {
		if line := stack[i].Position().Line; line > 0 {
			return line
		}
	}
	return 0
}
