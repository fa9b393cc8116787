package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
)

// printVersion writes version, commit and Go to stdout.
func printVersion(_ context.Context, args []string, stdout, _ io.Writer) error {
	if len(args) > 0 {
		return usagef("simpang version takes no arguments")
	}
	hash, modified := cmp.Or(commit, "unknown"), ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				hash = s.Value
			case s.Key == "vcs.modified" && s.Value == "true":
				modified = " (modified)"
			}
		}
	}
	_, err := fmt.Fprintf(stdout, "simpang %s\ncommit %s%s\n%s %s/%s\n", version, hash, modified, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
