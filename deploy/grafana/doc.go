// Package grafana holds the dashboards of engineers, and what Grafana is
// provisioned with. Its tests ask the dashboards' Flux of a real InfluxDB;
// those in internal/endtoend ask their PromQL of a real Prometheus.
package grafana
