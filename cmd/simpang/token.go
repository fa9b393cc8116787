package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/simpang-id/simpang/internal/app"
	"github.com/simpang-id/simpang/internal/token"
)

// tokens makes, lists and revokes access tokens, beside a running gateway too.
func tokens(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs, flags := flagSet("token", stderr)
	role := fs.String("role", "", "dishub, bapenda, auditor, operator, agency, executive, admin or reporter")
	name := fs.String("name", "", "whose token it is")
	operator := fs.String("operator", "", "the operator's id, of role operator")
	agency := fs.String("agency", "", "the agency's id, of roles agency and dishub")
	expires := fs.Duration("expires", 0, "how long it is valid (720h); 0: until it is revoked")
	list := fs.Bool("list", false, "list all tokens")
	revoke := fs.String("revoke", "", "revoke the token of this `ID`")
	if err := parseAll(fs, args); err != nil {
		return err
	}
	if err := oneThing(*list, *revoke, *role+*name+*operator+*agency); err != nil {
		return err
	}
	cfg, err := flags.load()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
		return err
	}
	store, err := token.Open(ctx, app.TokensPath(cfg), newLogger(cfg.Log, stderr))
	if err != nil {
		return err
	}
	defer func() { _ = store.Close(ctx) }()
	now := time.Now()
	switch {
	case *list:
		return listTokens(ctx, store, now, stdout)
	case *revoke != "":
		return asRefused(store.Revoke(ctx, *revoke, now))
	}
	if *expires < 0 {
		return usagef("-expires must not be negative")
	}
	request := token.Request{Role: token.Role(*role), Name: *name, Operator: *operator, Agency: *agency}
	if *expires > 0 {
		request.Expires = now.Add(*expires).UnixMilli()
	}
	made, secret, err := store.Create(ctx, request, now)
	if err != nil {
		return asRefused(err)
	}
	fmt.Fprintf(stderr, "token %s of role %s; it is shown once:\n", made.ID, made.Role)
	_, err = fmt.Fprintln(stdout, secret)
	return err
}

// oneThing refuses to list, revoke and make at once.
func oneThing(list bool, revoke, make string) error {
	switch {
	case list && revoke != "", list && make != "":
		return usagef("-list stands alone: it makes and revokes nothing")
	case revoke != "" && make != "":
		return usagef("-revoke stands alone: it makes no token")
	}
	return nil
}

func listTokens(ctx context.Context, store *token.Store, now time.Time, stdout io.Writer) error {
	all, err := store.List(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tROLE\tNAME\tOPERATOR\tAGENCY\tCREATED\tEXPIRES\tLAST USED\tSTATE")
	for _, t := range all {
		state := "valid"
		switch {
		case t.Revoked != 0:
			state = "revoked"
		case !t.Valid(now.UnixMilli()):
			state = "expired"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", t.ID, t.Role, t.Name, t.Operator, t.Agency, date(t.Created), date(t.Expires), date(t.LastUsed), state)
	}
	return w.Flush()
}

func date(ms int64) string {
	if ms == 0 {
		return "-"
	}
	return time.UnixMilli(ms).Format(time.RFC3339)
}
