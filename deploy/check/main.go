// Command check holds the Dockerfile to BuildKit's own linter and compose.yaml to
// Compose's own loader, where no Docker engine is. It is a module of its own, so
// that the gateway's does not depend on either.
//
//	go run -C deploy/check . FOLDER-OF-THE-PROJECT
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: check FOLDER-OF-THE-PROJECT")
		os.Exit(2)
	}
	root := os.Args[1]
	err := errors.Join(
		dockerfile(filepath.Join(root, "Dockerfile")),
		compose(context.Background(), filepath.Join(root, "deploy", "compose", "compose.yaml")),
	)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Fprintln(os.Stdout, "Dockerfile and compose.yaml are sound")
}

// dockerfile returns every finding of BuildKit's linter, and what we ask of the
// last stage: not root, a health check, an exec form that SIGTERM reaches.
func dockerfile(path string) error {
	f, err := os.Open(filepath.Clean(path)) //nolint:gosec // the folder that was named
	if err != nil {
		return err
	}
	defer f.Close()
	parsed, err := parser.Parse(f)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	var faults []error
	for _, w := range parsed.Warnings {
		faults = append(faults, fmt.Errorf("%s: %s", path, w.Short))
	}
	lint := linter.New(&linter.Config{
		Warn: func(rule, description, _, detail string, at []parser.Range) {
			line := 0
			if len(at) > 0 {
				line = at[0].Start.Line
			}
			faults = append(faults, fmt.Errorf("%s:%d: %s: %s (%s)", path, line, rule, description, detail))
		},
	})
	stages, _, err := instructions.Parse(parsed.AST, lint)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return errors.Join(append(faults, last(path, stages[len(stages)-1])...)...)
}

func last(path string, stage instructions.Stage) (faults []error) {
	var user, entry string
	health := false
	for _, c := range stage.Commands {
		switch c := c.(type) {
		case *instructions.UserCommand:
			user = c.User
		case *instructions.HealthCheckCommand:
			health = c.Health != nil && len(c.Health.Test) > 1 && c.Health.Test[0] == "CMD"
		case *instructions.EntrypointCommand:
			if !c.PrependShell && len(c.CmdLine) > 0 {
				entry = c.CmdLine[0]
			}
		}
	}
	if stage.BaseName != "scratch" {
		faults = append(faults, fmt.Errorf("%s: the last stage is from %s, not scratch", path, stage.BaseName))
	}
	if user == "" || strings.HasPrefix(user, "0") || strings.HasPrefix(user, "root") {
		faults = append(faults, fmt.Errorf("%s: it runs as root", path))
	}
	if !health {
		faults = append(faults, fmt.Errorf("%s: no health check without a shell", path))
	}
	if entry == "" {
		faults = append(faults, fmt.Errorf("%s: no entry point in exec form", path))
	}
	return faults
}

// compose loads the file as Compose does (schema, merges, variables, references)
// and holds each service to the same hardening.
func compose(ctx context.Context, path string) error {
	options, err := cli.NewProjectOptions([]string{path}, cli.WithConsistency(true), cli.WithResolvedPaths(true))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	project, err := options.LoadProject(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if len(project.Services) == 0 {
		return fmt.Errorf("%s: no service", path)
	}
	var faults []error
	for _, name := range project.ServiceNames() {
		for _, fault := range soft(project.Services[name]) {
			faults = append(faults, fmt.Errorf("%s: %s: %s", path, name, fault))
		}
		for _, s := range project.Services[name].Secrets {
			if project.Secrets[s.Source].File == "" {
				faults = append(faults, fmt.Errorf("%s: %s: the secret %s is no file", path, name, s.Source))
			}
		}
		for _, v := range project.Services[name].Volumes {
			if v.Type != types.VolumeTypeBind || strings.Contains(v.Source, "/secrets/") {
				continue
			}
			if _, err := os.Stat(v.Source); err != nil {
				faults = append(faults, fmt.Errorf("%s: %s: %w", path, name, err))
			}
		}
	}
	return errors.Join(faults...)
}

// soft tells what a service lets be done that it need not.
func soft(s types.ServiceConfig) (faults []string) {
	for fault, is := range map[string]bool{
		"the root folder can be written":        !s.ReadOnly,
		"capabilities are not dropped":          !slices.Equal(s.CapDrop, []string{"ALL"}) || len(s.CapAdd) > 0,
		"new privileges are allowed":            !slices.Contains(s.SecurityOpt, "no-new-privileges:true"),
		"it is privileged":                      s.Privileged,
		"memory has no limit":                   s.MemLimit == 0,
		"CPU has no limit":                      s.CPUS == 0,
		"processes have no limit":               s.PidsLimit == 0,
		"nobody starts it again":                s.Restart == "",
		"the image has no version":              !strings.Contains(s.Image, ":") || strings.HasSuffix(s.Image, ":latest"),
		"no health check here nor in the image": s.HealthCheck == nil && s.Build == nil,
		"no user is named":                      s.User == "" && s.Build == nil,
		"it uses the machine's network":         s.NetworkMode == "host",
	} {
		if is {
			faults = append(faults, fault)
		}
	}
	for key, value := range s.Environment {
		upper := strings.ToUpper(key)
		if (strings.Contains(upper, "PASSWORD") || strings.Contains(upper, "TOKEN") || strings.Contains(upper, "SECRET")) && !strings.HasSuffix(upper, "_FILE") && value != nil {
			faults = append(faults, "a secret stands in the environment: "+key)
		}
	}
	slices.Sort(faults)
	return faults
}
