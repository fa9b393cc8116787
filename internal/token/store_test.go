package token_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/token"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func open(t *testing.T, path string) *token.Store {
	t.Helper()
	s, err := token.Open(t.Context(), path, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close(t.Context()) })
	return s
}

func TestTokensAreFoundUntilTheyEnd(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "tokens.db"))
	expires := noon.Add(time.Hour).UnixMilli()
	made, secret, err := s.Create(t.Context(), token.Request{Role: token.Operator, Name: "Mall", Operator: "op-1", Expires: expires}, noon)
	require.NoError(t, err)
	require.Regexp(t, `^smp_[A-Za-z0-9_-]{43}$`, secret)

	got, err := s.Lookup(t.Context(), secret, noon)
	require.NoError(t, err)
	require.Equal(t, made, got)
	_, err = s.Lookup(t.Context(), secret[:len(secret)-1]+"!", noon)
	require.ErrorIs(t, err, token.ErrUnknown)
	_, err = s.Lookup(t.Context(), "", noon)
	require.ErrorIs(t, err, token.ErrUnknown)
	_, err = s.Lookup(t.Context(), strings.Repeat("x", 1<<20), noon)
	require.ErrorIs(t, err, token.ErrUnknown)
	_, err = s.Lookup(t.Context(), secret, noon.Add(time.Hour-time.Millisecond))
	require.NoError(t, err)
	_, err = s.Lookup(t.Context(), secret, noon.Add(time.Hour))
	require.ErrorIs(t, err, token.ErrExpired)

	require.NoError(t, s.Revoke(t.Context(), made.ID, noon.Add(time.Minute)))
	require.NoError(t, s.Revoke(t.Context(), made.ID, noon.Add(2*time.Minute)), "twice is once")
	_, err = s.Lookup(t.Context(), secret, noon.Add(time.Minute))
	require.ErrorIs(t, err, token.ErrRevoked)
	list, err := s.List(t.Context())
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Equal(t, noon.Add(time.Minute).UnixMilli(), list[0].Revoked)
	require.Equal(t, city.KindNotFound, city.KindOf(s.Revoke(t.Context(), "no-such", noon)))
}

func TestAnotherProcessIsSeenWithinFiveSeconds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens.db")
	gateway, command := open(t, path), open(t, path)
	_, err := gateway.Lookup(t.Context(), "smp_unknown", noon)
	require.ErrorIs(t, err, token.ErrUnknown)

	made, secret, err := command.Create(t.Context(), token.Request{Role: token.Admin, Name: "Sari"}, noon)
	require.NoError(t, err)
	_, err = gateway.Lookup(t.Context(), secret, noon.Add(time.Second))
	require.NoError(t, err, "an unknown secret makes the gateway look")

	require.NoError(t, command.Revoke(t.Context(), made.ID, noon.Add(2*time.Second)))
	_, err = gateway.Lookup(t.Context(), secret, noon.Add(2*time.Second))
	require.NoError(t, err, "the copy still holds")
	_, err = gateway.Lookup(t.Context(), secret, noon.Add(2*time.Second+5*time.Second))
	require.ErrorIs(t, err, token.ErrRevoked)
}

func TestUnknownSecretsDoNotReadTheFileEachTime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens.db")
	gateway, command := open(t, path), open(t, path)
	_, err := gateway.Lookup(t.Context(), "smp_guess", noon)
	require.ErrorIs(t, err, token.ErrUnknown)
	_, secret, err := command.Create(t.Context(), token.Request{Role: token.Admin, Name: "Sari"}, noon)
	require.NoError(t, err)
	_, err = gateway.Lookup(t.Context(), secret, noon.Add(time.Millisecond))
	require.ErrorIs(t, err, token.ErrUnknown, "it was read a millisecond ago")
	_, err = gateway.Lookup(t.Context(), secret, noon.Add(time.Second))
	require.NoError(t, err)
}

func TestUnreadableFileEndsTrust(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "tokens.db"))
	_, secret, err := s.Create(t.Context(), token.Request{Role: token.Admin, Name: "Sari"}, noon)
	require.NoError(t, err)
	_, err = s.Lookup(t.Context(), secret, noon)
	require.NoError(t, err)
	require.NoError(t, s.DB().R.Close())
	_, err = s.Lookup(t.Context(), secret, noon.Add(3*time.Second))
	require.NoError(t, err, "for a moment the copy holds")
	_, err = s.Lookup(t.Context(), secret, noon.Add(6*time.Second))
	require.Equal(t, city.KindUnavailable, city.KindOf(err))
}

func TestRequestsAreChecked(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "tokens.db"))
	for name, q := range map[string]struct {
		q      token.Request
		fields []string
	}{
		"nothing":                 {token.Request{}, []string{"role", "name"}},
		"operator without":        {token.Request{Role: token.Operator, Name: "x"}, []string{"operator"}},
		"agency without":          {token.Request{Role: token.Agency, Name: "x"}, []string{"agency"}},
		"admin with operator":     {token.Request{Role: token.Admin, Name: "x", Operator: "o"}, []string{"operator"}},
		"executive with agency":   {token.Request{Role: token.Executive, Name: "x", Agency: "o"}, []string{"agency"}},
		"expired before its time": {token.Request{Role: token.Admin, Name: "x", Expires: noon.UnixMilli()}, []string{"expires"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, secret, err := s.Create(t.Context(), q.q, noon)
			require.Equal(t, city.KindInvalid, city.KindOf(err))
			require.Empty(t, secret)
			var e *city.Error
			require.ErrorAs(t, err, &e)
			var fields []string
			for _, f := range e.Fields {
				fields = append(fields, f.Field)
			}
			require.Equal(t, q.fields, fields)
		})
	}
}

func TestTheSecretIsNowhereInTheFile(t *testing.T) {
	dir := t.TempDir()
	s, err := token.Open(t.Context(), filepath.Join(dir, "tokens.db"), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	_, secret, err := s.Create(t.Context(), token.Request{Role: token.Admin, Name: "Sari Dewi"}, noon)
	require.NoError(t, err)
	_, err = s.Lookup(t.Context(), secret, noon.Add(time.Minute))
	require.NoError(t, err)
	require.NoError(t, s.Close(t.Context()))
	kept, err := os.ReadFile(filepath.Join(dir, "tokens.db"))
	require.NoError(t, err)
	require.Contains(t, string(kept), "Sari Dewi", "the test looks at the right file")
	require.NotContains(t, string(kept), secret[4:20])
}

func TestLastUseIsKeptCoarsely(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens.db")
	s, err := token.Open(t.Context(), path, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	_, secret, err := s.Create(t.Context(), token.Request{Role: token.Admin, Name: "Sari"}, noon)
	require.NoError(t, err)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			_, err := s.Lookup(t.Context(), secret, noon.Add(time.Duration(i)*time.Second))
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.NoError(t, s.Close(t.Context()))
	list, err := open(t, path).List(t.Context())
	require.NoError(t, err)
	require.WithinDuration(t, noon, time.UnixMilli(list[0].LastUsed), 8*time.Second)
}
