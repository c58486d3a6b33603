package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"sync"

	"github.com/spf13/cobra"
)

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			v := version()
			return a.print("version", v, func() error {
				_, err := fmt.Println(v.text())
				return err
			})
		},
	}
}

// versionInfo identifies the build of this program, as the Go tool has recorded it.
type versionInfo struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Go      string `json:"go"`
}

// text returns the version as a line for a person.
func (v versionInfo) text() string {
	return fmt.Sprintf("namibuild %s (%s, %s)", v.Version, v.Commit, v.Go)
}

func version() versionInfo {
	v := versionInfo{"devel", "commit not recorded", runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" && info.Main.Version != "(devel)" {
		v.Version = info.Main.Version
	}
	modified := ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			v.Commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = ", modified"
		}
	}
	v.Commit += modified
	return v
}

// userAgent is what registries are told.
func userAgent() string { return "namibuild/" + version().Version }

// executableDigest returns the SHA-256 of this program, or "" if it cannot be read. The
// version would not do: a program made of edited sources has that of the last commit.
var executableDigest = sync.OnceValue(func() string {
	f, err := os.Open("/proc/self/exe") // also right when the file was replaced since the start
	if err != nil {
		return ""
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return ""
	}
	return fmt.Sprintf("%x", h.Sum(nil))
})
