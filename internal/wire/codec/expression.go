package codec

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm"
)

// The bounds of an expression.
const (
	maxExpression = 1000 // bytes
	maxNodes      = 200
)

// expression is one expression of the mapping. Numbers are float64, as in
// JavaScript.
type expression struct {
	path    string
	program *vm.Program
}

// env is what expressions see.
type env struct {
	Data     map[string]any `expr:"data"`
	Port     float64        `expr:"port"`
	Bytes    []any          `expr:"bytes"`
	Warnings []any          `expr:"warnings"`
}

var names = []string{"data", "port", "bytes", "warnings"}

// run computes the expression.
func (x *expression) run(e *env) (any, error) {
	v, err := expr.Run(x.program, e)
	if err != nil {
		text, _, _ := strings.Cut(err.Error(), "\n") // behind it is a picture of the place
		if i := strings.LastIndex(text, " ("); i > 0 && strings.HasSuffix(text, ")") {
			text = text[:i]
		}
		return nil, fmt.Errorf("%s: %s", x.path, text)
	}
	return v, nil
}

// compile makes an expression whose value is of one of some types, as far as
// that is known before there is data.
func compile(path, text string, want ...reflect.Kind) (x *expression, constant bool, err error) {
	if len(text) > maxExpression {
		return nil, false, fmt.Errorf("is longer than %d bytes: shorten it", maxExpression)
	}
	strict := &strictly{constant: true}
	options := []expr.Option{expr.Env(env{}), expr.DisableAllBuiltins(), expr.MaxNodes(maxNodes), expr.Patch(strict)}
	options = append(options, functions...)
	program, err := expr.Compile(text, options...)
	if strict.err != nil {
		err = strict.err
	}
	if err != nil {
		what, _, _ := strings.Cut(err.Error(), "\n")
		return nil, false, fmt.Errorf("is no expression (%s): see docs/devices.md", what)
	}
	kind := reflect.Interface
	if t := program.Node().Type(); t != nil {
		kind = t.Kind()
	}
	if kind != reflect.Interface && !slices.Contains(want, kind) {
		return nil, false, fmt.Errorf("is %s, and it must be %s", wordOf(kind), wordsOf(want))
	}
	return &expression{path, program}, strict.constant, nil
}

var kindWords = map[reflect.Kind]string{
	reflect.Bool: "true or false", reflect.Float64: "a number", reflect.String: "a text", reflect.Slice: "a list", reflect.Map: "an object", reflect.Invalid: "nil",
}

func wordOf(kind reflect.Kind) string {
	if word := kindWords[kind]; word != "" {
		return word
	}
	return kind.String()
}

func wordsOf(kinds []reflect.Kind) string {
	words := make([]string, len(kinds))
	for i, kind := range kinds {
		words[i] = wordOf(kind)
	}
	return strings.Join(words, " or ")
}

// strictly makes an expression one that is computed in bounded time and guesses
// nothing: what has loops or variables is refused, a member that is not there is
// an error unless it is asked for with ?., and values of different types are
// not compared.
type strictly struct {
	err      error
	constant bool // it asks for nothing
}

// operators that stay as they are; those with a name become functions of ours.
var operators = map[string]string{
	"+": "", "-": "", "*": "", "/": "", "**": "", "^": "", "<": "", "<=": "", ">": "", ">=": "", "and": "", "&&": "", "or": "", "||": "", "??": "",
	"contains": "", "startsWith": "", "endsWith": "", "matches": "",
	"==": "_equal", "!=": "_equal", "%": "_mod", "in": "_in",
}

// Visit looks at a node after those below it.
func (s *strictly) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IntegerNode:
		if value := int64(n.Value); value > 1<<53 || value < -1<<53 {
			s.refuse("a number is too large")
		}
		ast.Patch(node, &ast.FloatNode{Value: float64(n.Value)})
	case *ast.IdentifierNode:
		s.constant = s.constant && !slices.Contains(names, n.Value)
	case *ast.MemberNode:
		name := "_get"
		if n.Optional {
			name = "_maybe"
		}
		if n.Method {
			s.refuse("there are no methods")
		}
		ast.Patch(node, call(name, n.Node, n.Property))
	case *ast.ChainNode:
		ast.Patch(node, n.Node)
	case *ast.BinaryNode:
		s.binary(node, n)
	case *ast.CallNode:
		if name, ok := n.Callee.(*ast.IdentifierNode); !ok || functionNames[name.Value] == 0 {
			s.refuse("functions are " + strings.Join(publicFunctions(), ", "))
		}
	case *ast.NilNode, *ast.FloatNode, *ast.BoolNode, *ast.StringNode, *ast.ConstantNode, *ast.UnaryNode, *ast.ConditionalNode, *ast.ArrayNode:
	default:
		s.refuse("loops, variables, slices and maps are not known here")
	}
}

func (s *strictly) binary(node *ast.Node, n *ast.BinaryNode) {
	name, ok := operators[n.Operator]
	switch {
	case !ok:
		s.refuse("the operator " + n.Operator + " is not known here")
	case n.Operator == "matches":
		if _, ok := n.Right.(*ast.StringNode); !ok {
			s.refuse("a pattern is a text that stands there")
		}
	case name != "":
		var to ast.Node = call(name, n.Left, n.Right)
		if n.Operator == "!=" {
			to = &ast.UnaryNode{Operator: "not", Node: to}
		}
		ast.Patch(node, to)
	}
}

func (s *strictly) refuse(why string) {
	if s.err == nil {
		s.err = errors.New(why)
	}
}

func call(name string, args ...ast.Node) *ast.CallNode {
	return &ast.CallNode{Callee: &ast.IdentifierNode{Value: name}, Arguments: args}
}
