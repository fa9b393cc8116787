package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/simpang-id/simpang/internal/token"
)

const challenge = `Bearer realm="simpang"`

// authorize finds the request's token where the route cares for one, and
// refuses who may not. The token is taken from the header only: one in a URL
// would end up in logs.
func (s *Server) authorize(ctx context.Context, q *request) error {
	t := q.route
	if t.public() && !t.Staff {
		return nil
	}
	header := q.Header.Get("Authorization")
	if header == "" {
		if t.public() {
			return nil
		}
		return unauthorized("this needs a token: Authorization: Bearer smp_...", challenge)
	}
	scheme, secret, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return unauthorized("use Authorization: Bearer smp_...", challenge)
	}
	found, err := s.Tokens.Lookup(ctx, strings.TrimSpace(secret), q.now)
	if err != nil {
		return refusal(err)
	}
	q.token = &found
	if !t.public() && !slices.Contains(t.Roles, found.Role) {
		p := problem(http.StatusForbidden, "role "+string(found.Role)+" may not do this")
		p.challenge = challenge + `, error="insufficient_scope"`
		return p
	}
	return nil
}

// refusal turns an error of Lookup into an answer.
func refusal(err error) error {
	for _, known := range []error{token.ErrUnknown, token.ErrExpired, token.ErrRevoked} {
		if errors.Is(err, known) {
			return unauthorized(known.Error(), challenge+`, error="invalid_token"`)
		}
	}
	return err
}

func unauthorized(detail, challenge string) *problemError {
	p := problem(http.StatusUnauthorized, detail)
	p.challenge = challenge
	return p
}

// is tells whether the request's token has one of these roles.
func (q *request) is(roles ...token.Role) bool {
	return q.token != nil && slices.Contains(roles, q.token.Role)
}
