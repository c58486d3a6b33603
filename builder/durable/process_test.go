package durable

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"namibuild/builder/hosttest"
)

// writerVariable is set for a child process of these tests: it then writes as its two words
// say, KIND and PATH, until it is killed.
const writerVariable = "DURABLE_TEST_WRITER"

func TestMain(m *testing.M) {
	if kind, path, ok := strings.Cut(os.Getenv(writerVariable), " "); ok {
		if err := write(kind, path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// parts are the entries that each writer gives one content.
var parts = []string{"a", "b", "sub/c"}

// write writes one version after the other, each of which has the same text in all parts.
func write(kind, path string) error {
	for i := 0; ; i++ {
		text := fmt.Sprintf("%d %d\n", os.Getpid(), i)
		err := writers[kind](path, text)
		if err != nil && !errors.As(err, new(*BusyError)) {
			return err
		}
		if i == 0 {
			fmt.Println("writing")
		}
	}
}

var writers = map[string]func(path, text string) error{
	"folder": func(path, text string) error {
		f, err := Create(path, always)
		if err != nil {
			return err
		}
		err = fill(f.Path, text)
		if err == nil {
			err = f.Publish()
		}
		return errors.Join(err, f.Close())
	},
	"update": func(path, text string) error {
		u, err := Open(path)
		if err != nil {
			return err
		}
		err = fill(u.Path, text)
		if err == nil {
			err = u.Commit("gone")
		}
		return errors.Join(err, u.Close())
	},
	"file": func(path, text string) error { return WriteFile(path, []byte(strings.Repeat(text, 1000)), 0o666) },
}

func fill(path func(...string) string, text string) error {
	err := os.Mkdir(path("sub"), 0o777)
	for _, name := range parts {
		err = errors.Join(err, os.WriteFile(path(name), []byte(text), 0o666))
	}
	return err
}

// startWriter starts a child process, and waits until it has written once.
func startWriter(t *testing.T, kind, path string) *exec.Cmd {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), writerVariable+"="+kind+" "+path)
	var failure strings.Builder
	child.Stderr = &failure
	out, err := child.StdoutPipe()
	if err == nil {
		err = child.Start()
	}
	if err == nil {
		_, err = io.ReadFull(out, make([]byte, 1))
	}
	if err != nil {
		t.Fatalf("starting a writer: %v %s", err, failure.String())
	}
	t.Cleanup(func() {
		if child.ProcessState == nil {
			child.Process.Kill()
			child.Wait()
		}
		if failure.Len() > 0 {
			t.Errorf("the writer of a %s: %s", kind, failure.String())
		}
	})
	return child
}

// checkWhole checks that what a writer wrote is of one version.
func checkWhole(t *testing.T, kind, path string) {
	t.Helper()
	if kind == "file" {
		data, err := os.ReadFile(path)
		first, _, _ := strings.Cut(string(data), "\n")
		if err != nil || string(data) != strings.Repeat(first+"\n", 1000) {
			t.Fatalf("%d bytes, %v", len(data), err)
		}
		return
	}
	files := found(t, path)
	for _, name := range parts {
		if files[name] == "" || files[name] != files[parts[0]] || len(files) != len(parts) {
			t.Fatalf("the folder has parts of two versions: %q", files)
		}
	}
}

// checkNothingHidden checks that no entry of a folder and of its folders is hidden.
func checkNothingHidden(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(d.Name(), ".") {
			t.Errorf("left: %s", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestKilled kills a process at random moments while it writes. What it writes must have
// one version, and the next writer must leave nothing hidden.
func TestKilled(t *testing.T) {
	hosttest.Time(t)
	for kind, next := range writers {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, "to")
			for range 100 {
				child := startWriter(t, kind, path)
				time.Sleep(time.Duration(rand.IntN(5000)) * time.Microsecond)
				if err := child.Process.Kill(); err != nil {
					t.Fatal(err)
				}
				child.Wait()
				if kind == "update" { // it may be committed, but not settled
					if u, err := Open(path); err != nil {
						t.Fatal(err)
					} else if err := u.Close(); err != nil {
						t.Fatal(err)
					}
				}
				checkWhole(t, kind, path)
				if kind != "file" { // a neighbour that sweeps, not the next writer of the same path
					if err := writers["folder"](filepath.Join(dir, "neighbour"), "x\n"); err != nil {
						t.Fatal(err)
					}
				} else if err := next(path, "x\n"); err != nil {
					t.Fatal(err)
				}
				checkNothingHidden(t, dir)
			}
		})
	}
}

// TestTogether lets several processes write to the same paths and beside each other. None
// of them may fail but for a *BusyError, and none may destroy what another one writes.
func TestTogether(t *testing.T) {
	hosttest.Time(t)
	dir := t.TempDir()
	paths := map[string]string{"folder": filepath.Join(dir, "folder"), "update": filepath.Join(dir, "update"), "file": filepath.Join(dir, "file")}
	var children []*exec.Cmd
	for kind, path := range paths {
		for range 2 {
			children = append(children, startWriter(t, kind, path))
		}
	}
	children = append(children, startWriter(t, "folder", filepath.Join(dir, "beside")))
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); {
		checkWhole(t, "file", paths["file"])
	}
	for _, child := range children {
		if err := child.Process.Signal(syscall.SIGKILL); err != nil {
			t.Errorf("a writer ended by itself: %v", err)
		}
		child.Wait()
	}
	for kind, path := range paths {
		if err := writers[kind](path, "last\n"); err != nil {
			t.Error(err)
		}
		checkWhole(t, kind, path)
	}
	checkNothingHidden(t, dir)
}
