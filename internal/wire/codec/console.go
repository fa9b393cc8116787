package codec

import (
	"maps"
	"slices"

	"github.com/dop251/goja"
)

// console is one that says nothing. It makes its functions when a script asks
// for them, which few do: a runtime is made for each call.
type console struct {
	vm   *goja.Runtime
	said map[string]goja.Value // what a script put there, and the functions that it asked for
}

var _ goja.DynamicObject = (*console)(nil)

var consoleNames = []string{"debug", "error", "info", "log", "warn"}

// Get returns a function that does nothing, or what was put there.
func (c *console) Get(key string) goja.Value {
	if v, ok := c.said[key]; ok || !slices.Contains(consoleNames, key) {
		return v
	}
	v := c.vm.ToValue(func(goja.FunctionCall) goja.Value { return goja.Undefined() })
	c.Set(key, v)
	return v
}

// Set keeps what a script puts there.
func (c *console) Set(key string, v goja.Value) bool {
	if c.said == nil {
		c.said = map[string]goja.Value{}
	}
	c.said[key] = v
	return true
}

// Has tells of all names.
func (c *console) Has(key string) bool { return slices.Contains(c.Keys(), key) }

// Delete takes away what was put there.
func (c *console) Delete(key string) bool {
	delete(c.said, key)
	return true
}

// Keys are the names.
func (c *console) Keys() []string {
	names := slices.AppendSeq(slices.Clone(consoleNames), maps.Keys(c.said))
	slices.Sort(names)
	return slices.Compact(names)
}
