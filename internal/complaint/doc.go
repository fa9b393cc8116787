// Package complaint is the register: what citizens report and what the gateway
// itself finds wrong, which office has it, by when it must act, and what became
// of it.
//
// # Life of a complaint
//
// It is received, verified by an officer (or by itself, where its service says
// so), which is when it goes to the agency; then in progress, answered, and
// closed by a person. It may be rejected, or be a duplicate of another. What
// comes back within its life reopens it. Each step has a deadline in working
// days; one that passes is told up the line.
//
// # A truth of its own
//
// complaints.db is backed up and never built again. Incidents are read by a
// cursor of our own, which is written in the transaction that makes complaints
// of them: each incident becomes one complaint, or none, through any crash. So
// is the row of the delivery to the city's system.
//
// The register knows no clock: who calls it says what time it is.
package complaint
