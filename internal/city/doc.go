// Package city holds the words of the field that every other package speaks:
// devices, readings, money, time and the kinds of error. It imports the
// standard library only, and holds no state.
package city
