// Package mosquitto holds the configuration of a Mosquitto in front of the
// gateway; see README.md. Its test starts the real one.
package mosquitto
