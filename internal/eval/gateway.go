package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/simpang-id/simpang/internal/app"
	"github.com/simpang-id/simpang/internal/config"
	"github.com/simpang-id/simpang/internal/token"
)

// gateway is the whole program in this process, asked as anybody asks it.
type gateway struct {
	base, bearer string
	cancel       context.CancelFunc
	ended        chan error
}

func serve(ctx context.Context, cfg *config.Config) (*gateway, error) {
	ctx, cancel := context.WithCancel(ctx)
	g := &gateway{cancel: cancel, ended: make(chan error, 1)}
	ready := make(chan app.Addresses, 1)
	go func() {
		g.ended <- app.Run(ctx, app.Options{
			Config: cfg, Version: "eval", Log: slog.New(slog.DiscardHandler), Now: time.Now, Ready: func(a app.Addresses) { ready <- a },
		})
	}()
	select {
	case a := <-ready:
		g.base = "http://" + a.HTTP
	case err := <-g.ended:
		cancel()
		return nil, fmt.Errorf("the gateway did not start: %w", err)
	}
	store, err := token.Open(ctx, app.TokensPath(cfg), slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	defer func() { _ = store.Close(ctx) }()
	_, g.bearer, err = store.Create(ctx, token.Request{Role: token.Admin, Name: "eval"}, time.Now())
	return g, err
}

func (g *gateway) stop() error {
	g.cancel()
	return <-g.ended
}

// get asks for one answer.
func (g *gateway) get(ctx context.Context, path string, query url.Values, into any) error {
	status, text, err := g.do(ctx, http.MethodGet, path+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("%s answered %d: %s", path, status, text)
	}
	return json.Unmarshal(text, into)
}

func (g *gateway) do(ctx context.Context, method, path string, body []byte) (status int, text []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, method, g.base+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+g.bearer)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	text, err = io.ReadAll(resp.Body)
	return resp.StatusCode, text, err
}

// list asks for every page of a list.
func list[T any](ctx context.Context, g *gateway, path string, query url.Values) ([]T, error) {
	var all []T
	query.Set("limit", "1000")
	for {
		var page struct {
			Items []T     `json:"items"`
			Next  *string `json:"next"`
		}
		if err := g.get(ctx, path, query, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if page.Next == nil {
			return all, nil
		}
		query.Set("cursor", *page.Next)
	}
}
