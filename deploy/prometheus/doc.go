// Package prometheus holds the alerts over the gateway's metrics; its tests let
// Prometheus' own promtool check them.
package prometheus
