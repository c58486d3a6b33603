package namibuild_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestBuildRequires checks that rpmbuild ignores a spec's BuildRequires only
// where rpm's database is empty, and not where it cannot be read. rpm 4.8 reports
// the latter on stderr, with exit status 0.
func TestBuildRequires(t *testing.T) {
	script, err := filepath.Abs("images/common/rpmbuild.sh")
	if err != nil {
		t.Fatal(err)
	}
	const broken = "error: cannot open Packages index using db3 - Invalid argument (22)"
	for name, test := range map[string]struct {
		rpm  string // what rpm -qa does
		want string
		code int
	}{
		"packages":                      {"echo gcc-4.4.7", "-bb SPECS/kernel.spec\n", 0},
		"packages and a warning":        {"echo gcc-4.4.7; echo a lock >&2", "-bb SPECS/kernel.spec\n", 0},
		"none":                          {":", "-bb --nodeps SPECS/kernel.spec\n", 0},
		"unreadable, rpm 4.8":           {"echo '" + broken + "' >&2", broken + "\n", 1},
		"unreadable, rpm 4.18":          {"echo '" + broken + "' >&2; exit 1", broken + "\n", 1},
		"unreadable, without a message": {"exit 1", "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write := func(path, text string) {
				path = filepath.Join(dir, path)
				if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o777); err != nil {
					t.Fatal(err)
				}
			}
			write("SPECS/kernel.spec", "")
			write("bin/rpm", "#!/bin/sh\n[ \"$1\" != -qa ] || { "+test.rpm+"; }\n")
			write("bin/rpmspec", "#!/bin/sh\n")
			write("bin/rpmbuild", "#!/bin/sh\nmode=$1; shift 5\necho $mode \"$@\"\n") // without the topdir's macros
			c := exec.Command("sh", script, "-bb")
			c.Env = append(os.Environ(), "NAMIBUILD_TOPDIR="+dir, "PATH="+filepath.Join(dir, "bin")+":"+os.Getenv("PATH"))
			stdin, err := c.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			log, err := os.Create(filepath.Join(dir, "log")) // not a pipe: the process that watches stdin outlives the script and keeps the log open
			if err != nil {
				t.Fatal(err)
			}
			defer log.Close()
			c.Stdout, c.Stderr = log, log
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			defer stdin.Close()
			state, err := c.Process.Wait()
			if err != nil {
				t.Fatal(err)
			}
			said, err := os.ReadFile(log.Name())
			if err != nil {
				t.Fatal(err)
			}
			if code := state.ExitCode(); code != test.code || string(said) != test.want {
				t.Errorf("exit %d, want %d; said %q, want %q", code, test.code, said, test.want)
			}
		})
	}
}
