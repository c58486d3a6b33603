package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"namibuild/builder/event"
	"namibuild/builder/repository"
)

func (a *app) repoCommand() *cobra.Command {
	var f keyFlags
	var id, base string
	c := &cobra.Command{
		Use:   "repo DIR",
		Short: "Make a folder of packages a repository for yum and dnf",
		Long: `repo reads and checks every package in DIR and its folders (the output of a build, or
packages of many builds and releases). It writes DIR/repodata, which dnf and every yum
since CentOS 6 can read, and DIR/NAME.repo for /etc/yum.repos.d. Run it again after
packages were added or removed. Equal packages make equal files.

With --key the index is signed and the public key written beside it. Every package must
be signed by that key, because hosts will check both. Without --key hosts check nothing.

` + keyHelp,
		Example: `  namibuild repo out/demo
  namibuild repo /srv/kernels --url https://example.org/kernels --key kernels.key`,
		Args: onePath("a folder of packages"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.repo(c.Context(), repository.Options{Dir: args[0], ID: id, URL: base}, f)
		},
	}
	c.Flags().StringVar(&id, "name", "", "name the repository `NAME` for yum (default the folder's name)")
	c.Flags().StringVar(&base, "url", "", "send hosts to `URL` for DIR (default file:// and its path)")
	f.add(c)
	return c
}

func (a *app) repo(ctx context.Context, o repository.Options, f keyFlags) error {
	if f.key != "" {
		k, closeKey, err := f.open(ctx)
		if err != nil {
			return a.cause(ctx, err)
		}
		defer closeKey()
		o.Key = &k
	}
	made, err := repository.Make(ctx, o)
	if err != nil {
		return a.cause(ctx, err)
	}
	return a.print("result", made, func() error { return printRepository(made) })
}

func printRepository(r repository.Repository) error {
	signed := "not signed: hosts that use it check nothing"
	if r.Signed {
		signed = "signed, its key is " + r.KeyFile
	}
	fmt.Printf("%s: %s, %s\n", filepath.Join(r.Dir, "repodata"), event.Count(len(r.Packages), "package"), signed)
	for _, p := range r.Packages {
		fmt.Printf("  %-58s %9s  sha256 %.12s…\n", p.Path, size(p.Size), p.SHA256)
	}
	_, err := fmt.Printf("use it: cp %s /etc/yum.repos.d/\n", r.File)
	return err
}
