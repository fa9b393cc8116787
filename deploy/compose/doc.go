// Package compose holds the set of containers of a data centre; its tests make
// its secrets and hold the real Mosquitto and the gateway's own check to them.
// deploy/check holds compose.yaml to Compose's loader.
package compose
