package main

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"namibuild/builder/repodata"
)

// repoError is a folder that cannot become a repository.
type repoError struct{ error }

func (r repoError) Unwrap() error { return r.error }

func (a *app) repoCommand() *cobra.Command {
	var id, base string
	c := &cobra.Command{
		Use:   "repo DIR",
		Short: "Make a folder of packages into a repository for yum and dnf",
		Long: `repo reads every package beneath DIR (the output of a build, or of many), checks
it, and writes DIR/repodata, which yum from CentOS 5 on and dnf read, and
DIR/NAME.repo for /etc/yum.repos.d. Run it again when packages came or went: equal
packages make equal files. It signs nothing.`,
		Example: "  namibuild repo out/demo\n  namibuild repo /srv/kernels --url https://example.org/kernels",
		Args:    oneArg("a folder"),
		RunE:    func(c *cobra.Command, args []string) error { return a.repo(args[0], id, base) },
	}
	c.Flags().StringVar(&id, "name", "", "the repository's name for yum (default the folder's)")
	c.Flags().StringVar(&base, "url", "", "where hosts find DIR (default file:// and its path)")
	return c
}

func (a *app) repo(dir, id, base string) error {
	source, err := repoSource(dir, id, base)
	if err != nil {
		return err
	}
	page, err := source.File()
	if err != nil {
		return usageError{err}
	}
	if _, err := os.Stat(filepath.Join(dir, "repodata", "repomd.xml.asc")); err == nil {
		return repoError{fmt.Errorf("%s is a signed repository, and repo signs nothing", dir)}
	}
	repo, err := repodata.Write(dir, repodata.Options{})
	if err != nil {
		return repoError{err}
	}
	file := filepath.Join(dir, source.ID+".repo")
	if err := writeWhole(file, []byte(page)); err != nil {
		return repoError{fmt.Errorf("writing the .repo file: %w", err)}
	}
	if a.json {
		newDisplay(os.Stdout, true).emit(struct {
			Event string `json:"event"`
			repodata.Repo
			Dir  string `json:"dir"`
			File string `json:"file"`
		}{"result", repo, dir, file})
		return nil
	}
	return printRepo(dir, file, repo)
}

func printRepo(dir, file string, repo repodata.Repo) error {
	fmt.Printf("%s: a repository of %d packages, not signed\n", filepath.Join(dir, "repodata"), len(repo.Packages))
	for _, p := range repo.Packages {
		fmt.Printf("  %-58s %9s  sha256 %.12s…\n", p.Path, size(p.Size), p.SHA256)
	}
	_, err := fmt.Printf("use it: cp %s /etc/yum.repos.d/\n", file)
	return err
}

// repoSource fills in what was not said: the folder's name and where it lies.
func repoSource(dir, id, base string) (repodata.Source, error) {
	path, err := filepath.Abs(dir)
	if err != nil {
		return repodata.Source{}, err
	}
	if id == "" {
		id = filepath.Base(path)
	}
	if base == "" {
		base = (&url.URL{Scheme: "file", Path: path}).String()
	}
	return repodata.Source{ID: id, Name: id + ", made by namibuild", BaseURL: base}, nil
}

// writeWhole writes a file that appears when it is complete.
func writeWhole(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".part-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // after the rename it has this name no more
	if _, err = f.Write(data); err == nil {
		err = f.Chmod(0o644)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
