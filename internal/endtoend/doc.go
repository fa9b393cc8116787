// Package endtoend tests the gateway from outside: the real program as a
// process of its own, a real Mosquitto, real ptys, the simulated fleet, and
// nothing but the contract in between.
package endtoend
