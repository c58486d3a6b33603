package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"namibuild/builder/durable"
	"namibuild/builder/release"
	"namibuild/builder/set"
)

func (a *app) sbomCommand() *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:   "sbom SET",
		Short: "Write the SBOM of a set, as SPDX and CycloneDX",
		Long: `sbom lists what a set (the output directory of build) is made of, with digests,
licenses and package URLs: its packages, the source RPM and the files in it, the
changes of the recipe, and every package of the image that it was built in.

The output directory gets sbom.spdx.json (SPDX 2.3) and sbom.cdx.json (CycloneDX 1.6).
The same set always gives the same bytes.`,
		Example: "  namibuild sbom out/demo\n  namibuild sbom out/demo --format cyclonedx > demo.cdx.json",
		Args:    onePath("a set (an output directory of build)"),
		RunE:    func(_ *cobra.Command, args []string) error { return a.sbom(args[0], format) },
	}
	c.Flags().StringVar(&format, "format", "", "print one `FORM` and write no file: spdx, cyclonedx")
	return c
}

func (a *app) sbom(path, format string) error {
	if format != "" && format != "spdx" && format != "cyclonedx" {
		return usageError{fmt.Errorf("--format %s: must be spdx or cyclonedx", format)}
	}
	record, err := openBuilt(path)
	if err != nil {
		return err
	}
	spdx, cyclonedx, err := release.SBOM(record)
	if err != nil {
		return err
	}
	switch format {
	case "spdx":
		_, err = os.Stdout.Write(spdx)
		return err
	case "cyclonedx":
		_, err = os.Stdout.Write(cyclonedx)
		return err
	}
	err = durable.WriteFile(filepath.Join(record.Dir, set.SPDXFile), spdx, 0o666)
	if err == nil {
		err = durable.WriteFile(filepath.Join(record.Dir, set.CycloneDXFile), cyclonedx, 0o666)
	}
	if err != nil {
		return &durable.Error{Path: record.Dir, Err: err}
	}
	return a.printWritten(record.Dir, set.SPDXFile, set.CycloneDXFile)
}

// openBuilt opens the output directory of a build. Its packages must be those that the
// build made.
func openBuilt(path string) (set.Set, error) {
	s, err := set.Open(path)
	if err != nil {
		return s, err
	}
	if err := s.Built(); err != nil {
		return s, usageError{err}
	}
	return s, nil
}

// printWritten prints the paths of files that were written beside a set.
func (a *app) printWritten(dir string, names ...string) error {
	var files []string
	for _, name := range names {
		files = append(files, filepath.Join(dir, name))
	}
	return a.print("result", struct {
		Files []string `json:"files"`
	}{files}, func() error {
		_, err := fmt.Println(strings.Join(files, "\n"))
		return err
	})
}
