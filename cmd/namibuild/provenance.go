package main

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"

	"namibuild/builder/durable"
	"namibuild/builder/release"
	"namibuild/builder/set"

	"github.com/spf13/cobra"
)

func (a *app) provenanceCommand() *cobra.Command {
	var f keyFlags
	var o release.ProvenanceOptions
	c := &cobra.Command{
		Use:   "provenance SET",
		Short: "Say how a set was built, as a signed SLSA statement",
		Long: `provenance states how the packages of a set (the output directory of build) came to
be: the whole plan, the source, the patches, the image with every package in it, each
by digest; and what must not be overlooked: a source that is not trusted, a kernel
that was never booted, a build without a lock. It is an in-toto statement with SLSA's
predicate (provenance v1) about all packages.

With --key it is signed (DSSE), and the output directory gets provenance.json. Without
a key the statement is printed.

` + keyHelp,
		Example: `  namibuild provenance out/demo | jq .predicate.buildDefinition
  namibuild provenance out/demo --key kernels.key`,
		Args: onePath("a set (an output directory of build)"),
		RunE: func(c *cobra.Command, args []string) error { return a.provenance(c.Context(), args[0], o, f) },
	}
	c.Flags().StringVar(&o.BuilderID, "builder-id", "", "URI of who vouches for the machine that built (default: nobody but the key's holder)")
	f.add(c)
	return c
}

func (a *app) provenance(ctx context.Context, path string, o release.ProvenanceOptions, f keyFlags) error {
	if id, err := url.Parse(o.BuilderID); o.BuilderID != "" && (err != nil || id.Scheme == "") {
		return usageError{fmt.Errorf("--builder-id %s: a URI was expected", o.BuilderID)}
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
	return a.wrote(record.Dir, set.ProvenanceFile)
}
