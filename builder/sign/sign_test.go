package sign_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/artifact"
	"namibuild/builder/pgp"
	"namibuild/builder/rpm"
	"namibuild/builder/rpm/rpmtest"
	"namibuild/builder/sign"
)

const epoch = 1389000000 // January 2014, as EL6's kernel

// born is when the tests' key was made. It is after the epoch and before today.
var born = time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)

// made returns the tests' key and its secret key file, which is locked.
var made = sync.OnceValues(func() (sign.Key, []byte) {
	k, secret, err := sign.Generate(pgp.NewKeyOptions{Name: "Kernels <kernels@example.org>", Created: born, Lifetime: 50 * 365 * 24 * time.Hour}, []byte("Zaubertrank"))
	if err != nil {
		panic(err)
	}
	return k, secret
})

// packages returns the kinds of packages that there are: of today, of EL6, large
// and without files.
func packages() map[string]rpmtest.Package {
	one := rpmtest.Package{Version: "2.6.32", Release: "431.el6", Arch: "x86_64", BuildTime: epoch, Files: []rpmtest.File{
		{Path: "/boot/vmlinuz", Content: strings.Repeat("kernel ", 3000)},
		{Path: "/etc/motd", Content: "hello\n"},
	}}
	modern, legacy, long, bare := one, one, one, one
	modern.Name, modern.Payload = "kernel", "zstd"
	legacy.Name, legacy.Legacy = "kernel-legacy", true
	long.Name, long.Long, long.Payload = "kernel-long", true, "xz"
	bare.Name, bare.Files = "kernel-bare", nil
	return map[string]rpmtest.Package{"modern": modern, "legacy": legacy, "long": long, "bare": bare}
}

// set stores packages as a build does.
func set(t *testing.T, list ...rpmtest.Package) artifact.Set {
	t.Helper()
	s := artifact.Set{Dir: t.TempDir()}
	for _, p := range list {
		data := rpmtest.Build(p)
		pkg, err := rpm.Verify(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		n := pkg.NEVRA()
		if err := os.WriteFile(filepath.Join(s.Dir, n.Filename()), data, 0o666); err != nil {
			t.Fatal(err)
		}
		s.RPMs = append(s.RPMs, artifact.RPM{File: n.Filename(), NEVRA: n, Size: int64(len(data)), SHA256: fmt.Sprintf("%x", sha256.Sum256(data))})
	}
	return s
}

// signed signs a set.
func signed(t *testing.T, s artifact.Set, k sign.Key, o sign.Options) artifact.Set {
	t.Helper()
	o.Epoch = epoch
	out, err := sign.Packages(context.Background(), s, k, t.TempDir(), o)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func read(t *testing.T, s artifact.Set) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for _, r := range s.RPMs {
		data, err := os.ReadFile(filepath.Join(s.Dir, r.File))
		if err != nil {
			t.Fatal(err)
		}
		if sum := fmt.Sprintf("%x", sha256.Sum256(data)); sum != r.SHA256 || int64(len(data)) != r.Size {
			t.Errorf("%s: the set says %d bytes, %s, the file has %d, %s", r.File, r.Size, r.SHA256, len(data), sum)
		}
		all[r.File] = data
	}
	return all
}

// TestSignedPackages checks that our own verification accepts what we sign, that
// the time is the key's, and that the bytes are the same in every run.
func TestSignedPackages(t *testing.T) {
	key, _ := made()
	for name, p := range packages() {
		for what, o := range map[string]sign.Options{"": {}, ", digests": {PayloadDigests: true}, ", header only": {HeaderOnly: true, PayloadDigests: true}} {
			t.Run(name+what, func(t *testing.T) {
				s := set(t, p)
				out := signed(t, s, key, o)
				again := signed(t, s, key, o)
				if diff := cmp.Diff(read(t, out), read(t, again)); diff != "" {
					t.Error("signing twice gives other bytes")
				}
				resigned := signed(t, out, key, o)
				if diff := cmp.Diff(out.RPMs, resigned.RPMs); diff != "" {
					t.Error("signing again gives other bytes: ", diff)
				}
				_, got, err := rpm.VerifySigned(bytes.NewReader(read(t, out)[s.RPMs[0].File]), keys(t, key))
				if err != nil {
					t.Fatal(err)
				}
				want := rpm.Signed{Fingerprint: key.Fingerprint, Created: born, Hash: "SHA-256", Covers: "header and payload"}
				if o.HeaderOnly {
					want.Covers = "header"
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

func keys(t *testing.T, k sign.Key) []pgp.Key {
	t.Helper()
	public, err := k.Public()
	if err != nil {
		t.Fatal(err)
	}
	list, err := pgp.ParseKeys(bytes.NewReader(public))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestSigningChangesNothingElse checks that header and payload stay the same. Only
// PayloadDigests changes a header, and only one that lacks them.
func TestSigningChangesNothingElse(t *testing.T) {
	key, _ := made()
	for name, p := range packages() {
		t.Run(name, func(t *testing.T) {
			s := set(t, p)
			before, after := read(t, s)[s.RPMs[0].File], read(t, signed(t, s, key, sign.Options{}))[s.RPMs[0].File]
			old, fresh := parse(t, before), parse(t, after)
			if !bytes.Equal(before[old.HeaderOffset():], after[fresh.HeaderOffset():]) {
				t.Error("header or payload changed")
			}
			bare, err := fresh.WithSignatures()
			if err != nil {
				t.Fatal(err)
			}
			var unsigned bytes.Buffer
			bare.WriteTo(&unsigned)
			if !bytes.Equal(unsigned.Bytes(), before[:old.PayloadOffset]) {
				t.Error("without its signatures the package is not the one before")
			}
			more := read(t, signed(t, s, key, sign.Options{PayloadDigests: true}))[s.RPMs[0].File]
			var added []rpm.Tag
			for _, tag := range parse(t, more).Header.Tags() {
				if !old.Header.Has(tag) {
					added = append(added, tag)
				}
			}
			var want []rpm.Tag
			if p.Legacy {
				want = []rpm.Tag{rpm.TagPayloadDigest, rpm.TagPayloadDigestAlgo, rpm.TagPayloadDigestAlt}
			}
			if diff := cmp.Diff(want, added); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func parse(t *testing.T, data []byte) *rpm.Package {
	t.Helper()
	p, err := rpm.ReadPackage(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestNothingIsHalfSigned checks that nothing is left after an error.
func TestNothingIsHalfSigned(t *testing.T) {
	key, _ := made()
	full := packages()
	errStop := errors.New("stopped")
	stopped, cancel := context.WithCancelCause(context.Background())
	cancel(errStop)
	tests := map[string]struct {
		change func(t *testing.T, s artifact.Set, dir string)
		ctx    context.Context
		o      sign.Options
		want   string
	}{
		"a bit flipped": {
			change: func(t *testing.T, s artifact.Set, _ string) {
				file := filepath.Join(s.Dir, s.RPMs[1].File)
				data, _ := os.ReadFile(file)
				data[len(data)-9] ^= 1
				os.WriteFile(file, data, 0o666)
			},
			want: s1 + "verifying package: header and payload md5 got ",
		},
		"a file is missing": {
			change: func(t *testing.T, s artifact.Set, _ string) { os.Remove(filepath.Join(s.Dir, s.RPMs[1].File)) },
			want:   s1 + "open ",
		},
		"header only of EL6's": {o: sign.Options{HeaderOnly: true}, want: s1 + sign.ErrNotCovered.Error()},
		"the folder is not empty": {
			change: func(t *testing.T, _ artifact.Set, dir string) { os.MkdirAll(filepath.Join(dir, "x"), 0o777) },
			want:   "signed is not empty",
		},
		"another package than the set's": {
			change: func(t *testing.T, s artifact.Set, _ string) { s.RPMs[1].SHA256 = strings.Repeat("0", 64) },
			want:   s1 + "sha256 got ",
		},
		"stopped": {ctx: stopped, want: "stopped"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := set(t, full["modern"], full["legacy"])
			top := t.TempDir()
			dir := filepath.Join(top, "signed")
			if err := os.Mkdir(dir, 0o777); err != nil {
				t.Fatal(err)
			}
			if test.change != nil {
				test.change(t, s, dir)
			}
			before := files(t, top)
			ctx := context.Background()
			if test.ctx != nil {
				ctx = test.ctx
			}
			_, err := sign.Packages(ctx, s, key, dir, test.o)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want …%s…", err, test.want)
			}
			if diff := cmp.Diff(before, files(t, top)); diff != "" {
				t.Error("left: ", diff)
			}
		})
	}
}

// files returns the paths of everything beneath a folder.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	if err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		all = append(all, path)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

const s1 = "signing: kernel-legacy-2.6.32-431.el6.x86_64.rpm: "

// TestSignatureHeaderFitsEL6 checks that no signature header is made that rpm 4.8
// would not read.
func TestSignatureHeaderFitsEL6(t *testing.T) {
	key, _ := made()
	p := packages()["modern"]
	data := rpmtest.Build(p)
	pkg := parse(t, data)
	large, err := pkg.WithSignatures(rpm.BytesValue(rpm.SigTagOpenPGP, make([]byte, 9000)))
	if err == nil {
		t.Fatalf("a signature header of %d bytes was made", large.Signature.Size())
	}
	out := read(t, signed(t, set(t, p), key, sign.Options{PayloadDigests: true}))
	for _, data := range out {
		if n := parse(t, data).Signature.Size(); n > 8192 {
			t.Errorf("signature header of %d bytes", n)
		}
	}
}

// TestTell checks that the bytes told are those that were written.
func TestTell(t *testing.T) {
	key, _ := made()
	s := set(t, packages()["modern"], packages()["legacy"])
	var done, total int64
	out := signed(t, s, key, sign.Options{Tell: func(d, all int64) { done, total = d, all }})
	var size int64
	for _, r := range out.RPMs {
		size += r.Size
	}
	if done != size || total != s.RPMs[0].Size+s.RPMs[1].Size {
		t.Errorf("told %d of %d, want %d", done, total, size)
	}
}
