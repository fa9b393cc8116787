// Package systemd holds the units that run Simpang; its tests check them with
// systemd's own tools.
package systemd
