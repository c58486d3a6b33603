package builder

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"namibuild/builder/fetch"
	"namibuild/builder/kerneltest"
	"namibuild/builder/rpm/rpmtest"
)

// otherSRPM is an SRPM to which the recipe fits just as well.
func otherSRPM(t *testing.T) []byte {
	t.Helper()
	p := kerneltest.SRPMPackage()
	for i, f := range p.Files {
		if f.Path == "kernel.spec" {
			p.Files[i].Content = strings.Replace(f.Content, "Name: kernel\n", "# others\nName: kernel\n", 1)
		}
	}
	other := rpmtest.Build(p)
	if bytes.Equal(other, kerneltest.SRPM()) {
		t.Fatal("the SRPMs are equal")
	}
	return other
}

// prepared returns the topdir of a recipe, or an error.
func prepared(t *testing.T, o Options) ([]byte, error) {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "topdir")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := Prepare(context.Background(), o.SourceOptions, f); err != nil {
		return nil, err
	}
	tar, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	return tar, nil
}

// TestPrepareWhileTheSourceIsSwapped replaces the SRPM all the time, by rename and in
// place. Prepare must use the right bytes or fail.
func TestPrepareWhileTheSourceIsSwapped(t *testing.T) {
	o, _, _ := setup(t)
	o.Tell = nil
	want, err := prepared(t, o)
	if err != nil {
		t.Fatal(err)
	}
	path := o.Recipe.Source.File
	end, swapper := make(chan struct{}), sync.WaitGroup{}
	defer swapper.Wait()
	defer close(end)
	good, other := kerneltest.SRPM(), otherSRPM(t)
	swapper.Go(func() {
		for i := 0; ; i++ {
			data := [][]byte{good, other}[i/2%2]
			to := path
			if i%2 == 0 {
				to += ".new"
			}
			if err := os.WriteFile(to, data, 0o666); err != nil {
				t.Error(err)
			}
			if i%2 == 0 {
				if err := os.Rename(to, path); err != nil {
					t.Error(err)
				}
			}
			select {
			case <-end:
				return
			default:
			}
		}
	})
	right, wrong := 0, 0
	for range 300 {
		got, err := prepared(t, o)
		switch {
		case errors.As(err, new(*fetch.DigestError)):
			wrong++
		case err != nil:
			t.Fatal(err)
		case !bytes.Equal(got, want):
			t.Fatal("other bytes were used than those that were checked")
		default:
			right++
		}
	}
	if right == 0 || wrong == 0 {
		t.Errorf("%d times the right bytes and %d times others were found, want both", right, wrong)
	}
}

// TestInputStays checks that the SRPM and its record are made of what was checked, if
// the file changes after the check.
func TestInputStays(t *testing.T) {
	for name, change := range map[string]func(path string, data []byte) error{
		"in place": func(path string, data []byte) error { return os.WriteFile(path, data, 0o666) },
		"by rename": func(path string, data []byte) error {
			return errors.Join(os.WriteFile(path+"2", data, 0o666), os.Rename(path+"2", path))
		},
		"removed": func(path string, _ []byte) error { return os.Remove(path) },
		"a link": func(path string, data []byte) error {
			return errors.Join(os.Remove(path), os.WriteFile(path+"2", data, 0o666), os.Symlink(path+"2", path))
		},
	} {
		t.Run(name, func(t *testing.T) {
			o, _, _ := setup(t)
			b := sourcing(o.SourceOptions)
			in, err := b.input(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			defer b.closeInput(in)
			if err := change(o.Recipe.Source.File, otherSRPM(t)); err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(b.topdirOf(in).Files().SRPM)
			if err != nil || !bytes.Equal(got, kerneltest.SRPM()) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
			out, err := openOutput(filepath.Join(t.TempDir(), "out"))
			if err != nil {
				t.Fatal(err)
			}
			defer out.close()
			p, err := b.topdirOf(in).Preview(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if c, _, err := b.origin(in, p, out); err != nil || c.Files[0].Size != int64(len(kerneltest.Spec)) {
				t.Errorf("recorded %+v, %v", c, err)
			}
		})
	}
}
