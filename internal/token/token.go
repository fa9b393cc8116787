// Package token keeps the access tokens of the API: who may do what, until
// when. It is a truth of its own in a small SQLite file, shared by the gateway
// and the `simpang token` command. Secrets are stored as SHA-256 hashes only.
package token

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/simpang-id/simpang/internal/city"
)

// Role is what a token's bearer may do (contract, section 4).
type Role string

// The roles.
const (
	Dishub    Role = "dishub"
	Bapenda   Role = "bapenda"
	Auditor   Role = "auditor"
	Operator  Role = "operator" // bound to one operator
	Agency    Role = "agency"   // bound to one agency
	Executive Role = "executive"
	Admin     Role = "admin"
	Reporter  Role = "reporter" // files reports over Open311, and nothing else: a key that citizens' applications share
)

// Roles lists every role.
var Roles = []Role{Dishub, Bapenda, Auditor, Operator, Agency, Executive, Admin, Reporter}

// Prefix begins every secret, so that scanners find one that leaked.
const Prefix = "smp_"

// maxSecret is longer than any secret of ours; longer ones are not hashed.
const maxSecret = 128

// Token is an access token without its secret. Times are Unix ms.
type Token struct {
	ID       string
	Role     Role
	Name     string // for people; logs and books hold the ID only
	Operator string // id in operators.csv, of role operator
	Agency   string // id in agencies.yaml; required for agency, optional for dishub, bapenda and auditor
	Created  int64
	Expires  int64 // 0: never
	Revoked  int64 // 0: not revoked
	LastUsed int64 // 0: never; to about a minute
}

// Valid tells whether the token opens anything at now (Unix ms).
func (t Token) Valid(now int64) bool {
	return t.Revoked == 0 && (t.Expires == 0 || now < t.Expires)
}

// Request asks for a new token.
type Request struct {
	Role     Role
	Name     string
	Operator string
	Agency   string
	Expires  int64 // Unix ms, 0 never
}

// check returns every fault of the request as one error of KindInvalid.
func (q Request) check(now int64) error {
	var faults []city.FieldError
	add := func(field, detail string) { faults = append(faults, city.FieldError{Field: field, Detail: detail}) }
	if !slices.Contains(Roles, q.Role) {
		add("role", fmt.Sprintf("unknown role %q: use dishub, bapenda, auditor, operator, agency, executive, admin or reporter", q.Role))
	}
	if strings.TrimSpace(q.Name) == "" || len(q.Name) > 200 {
		add("name", "say whose token it is, in at most 200 bytes")
	}
	if q.Role == Operator && q.Operator == "" {
		add("operator", "role operator needs the operator's id")
	}
	if q.Role != Operator && q.Operator != "" {
		add("operator", "only role operator is bound to an operator")
	}
	if q.Role == Agency && q.Agency == "" {
		add("agency", "role agency needs the agency's id")
	}
	if q.Agency != "" && q.Role != Agency && q.Role != Dishub && q.Role != Bapenda && q.Role != Auditor {
		add("agency", "only roles agency, dishub, bapenda and auditor belong to an agency")
	}
	if q.Expires != 0 && q.Expires <= now {
		add("expires", "lies in the past")
	}
	if faults == nil {
		return nil
	}
	details := make([]string, len(faults))
	for i, f := range faults {
		details[i] = f.Field + ": " + f.Detail
	}
	return &city.Error{Kind: city.KindInvalid, Message: strings.Join(details, "; "), Fields: faults}
}

// newSecret returns a secret of 32 random bytes and the token's id.
func newSecret() (secret, id string) {
	var b [38]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return Prefix + base64.RawURLEncoding.EncodeToString(b[:32]), hex.EncodeToString(b[32:])
}

func hashOf(secret string) [32]byte { return sha256.Sum256([]byte(secret)) }
