package main

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"

	"github.com/spf13/cobra"

	"namibuild/builder/durable"
	"namibuild/builder/release"
	"namibuild/builder/set"
)

func (a *app) provenanceCommand() *cobra.Command {
	var f keyFlags
	var o release.ProvenanceOptions
	c := &cobra.Command{
		Use:   "provenance SET",
		Short: "Say how a set was built, as a signed SLSA statement",
		Long: `provenance states how the packages of a set (the output directory of build) were made:
the whole plan, the source, the patches, and the image with every package in it, all by
digest. It also states the weak points: a source that failed its check, a kernel that
was never booted, a build without a lock. It is an in-toto statement with SLSA's
predicate (provenance v1) about all packages.

With --key the statement is signed (DSSE) and written to provenance.json in the output
directory. Without a key it is printed.

` + keyHelp,
		Example: `  namibuild provenance out/demo | jq .predicate.buildDefinition
  namibuild provenance out/demo --key kernels.key`,
		Args: onePath("a set (an output directory of build)"),
		RunE: func(c *cobra.Command, args []string) error { return a.provenance(c.Context(), args[0], o, f) },
	}
	addBuilderID(c, &o.BuilderID)
	f.add(c)
	return c
}

// addBuilderID adds the flag that names who answers for the machine that has built.
func addBuilderID(c *cobra.Command, id *string) {
	c.Flags().StringVar(id, "builder-id", "", "name `URI` in the provenance as who vouches for the build machine (default: only the owner of the key does)")
}

func (a *app) provenance(ctx context.Context, path string, o release.ProvenanceOptions, f keyFlags) error {
	if id, err := url.Parse(o.BuilderID); o.BuilderID != "" && (err != nil || id.Scheme == "") {
		return usageError{fmt.Errorf("--builder-id %s: must be a URI", o.BuilderID)}
	}
	record, err := openBuilt(path)
	if err != nil {
		return err
	}
	if f.key == "" {
		s, err := release.StateProvenance(record, o)
		if err == nil {
			_, err = fmt.Printf("%s\n", s.JSON())
		}
		return err
	}
	k, closeKey, err := f.open(ctx)
	if err != nil {
		return a.cause(ctx, err)
	}
	defer closeKey()
	envelope, err := release.Provenance(ctx, record, o, k)
	if err != nil {
		return a.cause(ctx, err)
	}
	if err := durable.WriteFile(filepath.Join(record.Dir, set.ProvenanceFile), envelope, 0o666); err != nil {
		return &durable.Error{Path: record.Dir, Err: err}
	}
	return a.printWritten(record.Dir, set.ProvenanceFile)
}
