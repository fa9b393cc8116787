// Package api is the gateway's HTTP face (contract, section 4). What drivers
// ask often is answered from memory: an immutable board behind an atomic
// pointer, rendered when something changed and never once a request. History,
// books and devices are asked of their followers through the small interfaces
// of needs.go.
//
// One table of routes (routes.go) is the source of the router, of the checks
// of parameters and roles, and of the OpenAPI document.
package api
