package release

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"flag"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"namibuild/builder/buildertest"
	"namibuild/builder/engine"
	"namibuild/builder/engine/enginetest"
	"namibuild/builder/hosttest"
	"namibuild/builder/kerneltest"
	"namibuild/builder/pgp"
	"namibuild/builder/rpm/rpmtest"
	"namibuild/builder/set"
	"namibuild/builder/sign"
)

// largeSet builds a set from a lock: three packages of size bytes each, whose content
// does not compress, and one of 2,000 small files. It returns its directory and the size
// of its packages.
func largeSet(t *testing.T, size int) (dir string, total int64) {
	t.Helper()
	random := mathrand.NewChaCha8([32]byte{})
	content := func(n int) string {
		data := make([]byte, n)
		random.Read(data)
		return string(data)
	}
	packages := map[string][]rpmtest.File{}
	for _, name := range []string{"kernel", "kernel-firmware", "perf"} {
		packages[name] = []rpmtest.File{{Path: "/boot/" + name, Content: content(size), Mode: 0o100644}}
	}
	for i := range 2000 {
		packages["kernel-devel"] = append(packages["kernel-devel"], rpmtest.File{Path: fmt.Sprintf("/usr/src/kernels/%d.h", i), Content: content(100), Mode: 0o100644})
	}
	dir = buildertest.Locked(t, kerneltest.Page, func(_ *buildertest.Options, f *enginetest.Fake) {
		f.Program = func(ctx context.Context, p *enginetest.Process) engine.Exit {
			exit := kerneltest.LegacyRpmbuild(ctx, p)
			made := kerneltest.Package("431.3.1.namibuild")
			made.Legacy = true
			for name, files := range packages {
				made.Name, made.Files = name, files
				p.Topdir["RPMS/x86_64/"+name+"-2.6.32-431.3.1.namibuild.el6.x86_64.rpm"] = &fstest.MapFile{Data: rpmtest.Build(made), Mode: 0o644}
			}
			return exit
		}
	})
	for _, r := range sure(set.Open(proven(t, dir))).RPMs {
		total += r.Size
	}
	return dir, total
}

// writeSet is the folder that gets the set which scripts/bench release measures.
var writeSet = flag.String("write-set", "", "write a proven set of 60 MB to this new folder")

// TestLargeSet checks that a large set can be released, and writes one with -write-set.
func TestLargeSet(t *testing.T) {
	size, output := 1<<10, filepath.Join(t.TempDir(), "set")
	if *writeSet != "" {
		size, output = 20_000_000, *writeSet
	}
	dir, _ := largeSet(t, size)
	if err := os.CopyFS(output, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	made, err := Make(context.Background(), releaseOf(output, filepath.Join(t.TempDir(), "release")))
	if err != nil || len(made.RPMs) != 4 {
		t.Errorf("%d packages, %v", len(made.RPMs), err)
	}
}

// TestReads checks how many times the bytes of a set are read: Sign reads each package to
// check it and to copy it, Make once more to verify the release, and Verify once.
func TestReads(t *testing.T) {
	dir, size := largeSet(t, 5_000_000)
	top := t.TempDir()
	output := filepath.Join(top, "release")
	for _, step := range []struct {
		name string
		do   func() error
		most float64 // times the bytes of the set
	}{
		{"Sign", func() error {
			_, err := Sign(context.Background(), SignOptions{Set: dir, Output: filepath.Join(top, "signed"), Key: signers()[0]})
			return err
		}, 2.02},
		{"Make", func() error {
			_, err := Make(context.Background(), releaseOf(dir, output))
			return err
		}, 3.1},
		{"Make with payload digests", func() error {
			o := releaseOf(dir, filepath.Join(top, "digests"))
			o.PayloadDigests = true
			_, err := Make(context.Background(), o)
			return err
		}, 5.05},
		{"Verify", func() error {
			v, err := Verify(context.Background(), VerifyOptions{Dir: output})
			if err == nil {
				err = v.Err(output)
			}
			return err
		}, 1.05},
	} {
		before := hosttest.BytesRead(t)
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		times := float64(hosttest.BytesRead(t)-before) / float64(size)
		t.Logf("%s read %.2f times the bytes of the set", step.name, times)
		if times > step.most {
			t.Errorf("%s read %.2f times the bytes of the set, want at most %.2f", step.name, times, step.most)
		}
	}
}

// TestChangedPackage checks that a package which is not the one of the record is refused
// before anything is signed, whether it has the same size or is damaged.
func TestChangedPackage(t *testing.T) {
	other := kerneltest.Package("431.3.1.namibuild")
	other.Files[0].Content = "y"
	for name, test := range map[string]struct {
		change func(data []byte) []byte
		other  bool // the error is a *set.OtherPackagesError
	}{
		"another package of its size": {func([]byte) []byte { return rpmtest.Build(other) }, true},
		"one bit":                     {func(data []byte) []byte { data[len(data)-3] ^= 4; return data }, false},
		"cut off":                     {func(data []byte) []byte { return data[:len(data)-1] }, true},
	} {
		dir := proven(t, lockedSet(t))
		file := sure(filepath.Glob(filepath.Join(dir, set.RPMS, "*.rpm")))[0]
		before := sure(os.ReadFile(file))
		after := test.change(append([]byte{}, before...))
		if name != "cut off" && len(before) != len(after) {
			t.Fatalf("%s: %d bytes, want %d", name, len(after), len(before))
		}
		if err := os.WriteFile(file, after, 0o666); err != nil {
			t.Fatal(err)
		}
		token := &private{sure(rsa.GenerateKey(rand.Reader, 2048)), 1}
		key := sure(sign.Certify(context.Background(), &token.key.PublicKey, token, pgp.NewKeyOptions{Name: "Token", Created: time.Unix(1600000000, 0)}))
		token.left = 100
		output := filepath.Join(t.TempDir(), "release")
		for function, do := range map[string]func() error{
			"Make": func() error {
				_, err := Make(context.Background(), Options{Set: dir, Output: output, Key: key})
				return err
			},
			"Sign": func() error {
				_, err := Sign(context.Background(), SignOptions{Set: dir, Output: output, Key: key})
				return err
			},
		} {
			err := do()
			if err == nil || errors.As(err, new(*set.OtherPackagesError)) != test.other {
				t.Errorf("%s, %s: got %v", name, function, err)
			}
			if token.left != 100 {
				t.Errorf("%s, %s: %d signatures were made", name, function, 100-token.left)
			}
		}
	}
}
