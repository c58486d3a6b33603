package release

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/boot"
	"namibuild/builder/buildertest"
	"namibuild/builder/durable"
	"namibuild/builder/engine"
	"namibuild/builder/engine/enginetest"
	"namibuild/builder/event"
	"namibuild/builder/hosttest"
	"namibuild/builder/kerneltest"
	"namibuild/builder/pgp"
	"namibuild/builder/rpm/rpmtest"
	"namibuild/builder/set"
	"namibuild/builder/sign"
)

// private signs with a key in memory. It fails after left signatures.
type private struct {
	key  *rsa.PrivateKey
	left int
}

func (p *private) Sign(_ context.Context, digest [sha256.Size]byte) ([]byte, error) {
	if p.left--; p.left < 0 {
		return nil, errors.New("the token was removed")
	}
	return rsa.SignPKCS1v15(nil, p.key, crypto.SHA256, digest[:])
}

// signers returns two keys, which are made once. They are small, because that takes less
// time.
var signers = sync.OnceValue(func() (keys [2]sign.Key) {
	for i := range keys {
		private := &private{sure(rsa.GenerateKey(rand.Reader, 2048)), 1 << 30}
		keys[i] = sure(sign.Certify(context.Background(), &private.key.PublicKey, private,
			pgp.NewKeyOptions{Name: fmt.Sprintf("Key %d", i), Created: time.Unix(1600000000, 0)}))
	}
	return keys
})

// sure returns v. It panics if there is an error, which means that the test itself is
// wrong.
func sure[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// lockedSet builds a set from its lock and returns its directory.
func lockedSet(t *testing.T) string {
	t.Helper()
	return buildertest.Locked(t, kerneltest.Page)
}

// console is the console of a guest that shows what kerneltest.Page wants.
const console = "@namibuild release 2.6.32\n@namibuild version Linux version 2.6.32 (a) #1\n@namibuild tainted 0\n@namibuild end\n"

// proven puts a proof into a set.
func proven(t *testing.T, dir string) string {
	t.Helper()
	return provenBy(t, dir, sure(set.Open(dir)).Record.PlanID)
}

// provenBy puts a proof into a set that is about a plan.
func provenBy(t *testing.T, dir, planID string) string {
	t.Helper()
	built := sure(set.Open(dir))
	p := boot.Proof{Passed: true, PlanID: planID, Kernel: boot.Kernel{Release: "2.6.32"}, Ending: boot.Reset, Packages: boot.PackagesOf(built.RPMs), Machine: "QEMU 7.2, tcg"}
	for _, c := range [][3]string{{"boot", "boots, answers, powers off"}, {"release", "2.6.32", "2.6.32"}, {"/proc/version", "Linux version 2.6.32"}, {"console", "no panic, no oops, no warning"}, {"time-wait", "5 s", "5.01 s"}} {
		p.Checks = append(p.Checks, boot.Check{Name: c[0], Want: c[1], Got: c[2], Passed: true})
	}
	if err := boot.Write(dir, p, []byte(console)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// releaseOf returns the options for a release of a set.
func releaseOf(built, output string) Options {
	return Options{Set: built, Output: output, Key: signers()[0]}
}

// tree returns the mode, time and content of everything below a folder, by path.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info := sure(d.Info())
		content := ""
		if !d.IsDir() {
			content = string(sure(os.ReadFile(path)))
		}
		all[sure(filepath.Rel(dir, path))] = fmt.Sprint(info.Mode(), info.ModTime().Unix(), content)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestRelease checks that a release is complete, that it is the same every time, and that
// Verify as well as rpm, gpg and sha256sum accept it.
func TestRelease(t *testing.T) {
	built, top := proven(t, lockedSet(t)), t.TempDir()
	first, second := filepath.Join(top, "one"), filepath.Join(top, "two")
	var steps []string
	o := releaseOf(built, first)
	o.URL = "https://example.org/kernels/"
	o.Tell = func(e event.Event) {
		if e.Kind == event.End {
			steps = append(steps, string(e.Step)+": "+e.Text)
		}
	}
	b, err := Make(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"gate: as built, proven, locked", "sign: 1 package by Key 0", "repodata: 1 package, signed, for https://example.org/kernels",
		"sbom: as SPDX and CycloneDX", "statement: SLSA provenance, signed", "records: 7 records of the build and the page", "digests: 20 files"}
	if diff := cmp.Diff(want, steps); diff != "" {
		t.Error(diff)
	}
	if b.Time != 1600000000 || b.Key != signers()[0].Fingerprint || len(b.Caveats) != 1 || b.Dir != first {
		t.Errorf("%+v", b)
	}
	o.Output = second
	for range 2 { // and over itself
		if _, err := Make(context.Background(), o); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tree(t, first), tree(t, second)); diff != "" {
			t.Errorf("released twice, the bytes differ: %s", diff)
		}
	}
	if left := sure(filepath.Glob(filepath.Join(top, ".*"))); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	v, err := Verify(context.Background(), VerifyOptions{Dir: first})
	if err != nil || v.Wrong() > 0 || len(v.Findings) != 13 || !v.Complete || v.Path != first || !v.OwnKey {
		t.Errorf("%+v, %v", v, err)
	}
	page := string(sure(os.ReadFile(filepath.Join(first, set.PageFile))))
	for _, want := range []string{"kernel 2.6.32-431.3.1.namibuild.el6", "include/net/tcp.h\n- (60*HZ)\n&#43; (5*HZ)", "5.01 s", "https://example.org/kernels/RPM-GPG-KEY-timewait", b.Key, b.RPMs[0].SHA256} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page, "<script") || strings.Contains(page, "src=") {
		t.Error("the page loads something")
	}
	verifyWithTools(t, first, b.RPMs[0].File)
}

// TestReleaseSource checks that a release has the patched SRPM, signed and listed.
func TestReleaseSource(t *testing.T) {
	const name = "kernel-2.6.32-431.3.1.namibuild.el6.src.rpm"
	dir := buildertest.Build(t, func(o *buildertest.Options, f *enginetest.Fake) {
		o.SRPM = true
		f.Program = func(ctx context.Context, p *enginetest.Process) engine.Exit {
			made := rpmtest.Build(rpmtest.Package{Name: "kernel", Version: "2.6.32", Release: "431.3.1.namibuild.el6", Source: true})
			p.Topdir["SRPMS/"+name] = &fstest.MapFile{Data: made, Mode: 0o644}
			return kerneltest.Rpmbuild(ctx, p)
		}
	})
	r := releaseOf(proven(t, dir), filepath.Join(t.TempDir(), "release"))
	r.Unlocked = true
	b := sure(Make(context.Background(), r))
	v := sure(Verify(context.Background(), VerifyOptions{Dir: b.Dir}))
	if v.Wrong() > 0 || v.Findings[0].Text != "2 packages, every digest right" {
		t.Errorf("%+v", v.Findings)
	}
	verifyWithTools(t, b.Dir, "../"+set.SRPMS+"/"+name)
	if err := os.WriteFile(filepath.Join(b.Dir, set.SRPMS, name), sure(os.ReadFile(filepath.Join(dir, set.SRPMS, name))), 0o666); err != nil {
		t.Fatal(err)
	}
	if v = sure(Verify(context.Background(), VerifyOptions{Dir: b.Dir})); v.Findings[1].Passed {
		t.Errorf("an unsigned SRPM: %+v", v.Findings)
	}
}

// TestReleaseDigests checks that packages of EL6 get the digests that rpm 6 needs, and that
// Verify still finds them to be as they were built.
func TestReleaseDigests(t *testing.T) {
	dir := buildertest.Build(t, func(_ *buildertest.Options, f *enginetest.Fake) { f.Program = kerneltest.LegacyRpmbuild })
	for _, name := range []string{"bench.json", set.BenchSVG} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("<svg/>"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	r := releaseOf(proven(t, dir), filepath.Join(t.TempDir(), "release"))
	r.Unlocked, r.PayloadDigests = true, true
	b := sure(Make(context.Background(), r))
	v := sure(Verify(context.Background(), VerifyOptions{Dir: b.Dir}))
	if v.Wrong() > 0 || b.RPMs[0].SHA256 == b.Built[0].SHA256 {
		t.Errorf("%+v", v.Findings)
	}
	verifyWithTools(t, b.Dir, b.RPMs[0].File, "--define", "_pkgverify_flags 0x20100") // MD5 and SHA-1 do not count
	if page := sure(os.ReadFile(filepath.Join(b.Dir, set.PageFile))); !strings.Contains(string(page), `<img src="bench.svg"`) {
		t.Error("the page does not show the chart")
	}
}

// verifyWithTools verifies a release with rpm, gpg and sha256sum.
func verifyWithTools(t *testing.T, dir, file string, mode ...string) {
	t.Helper()
	db, home := "_dbpath "+t.TempDir(), t.TempDir()
	for _, line := range [][]string{
		{"rpmkeys", "--define", db, "--import", "RPM-GPG-KEY-timewait"},
		append(append([]string{"rpmkeys", "--define", db, "--define", "_pkgverify_level all"}, mode...), "-K", set.RPMS+"/"+file),
		{"gpg", "--homedir", home, "--batch", "--quiet", "--import", "RPM-GPG-KEY-timewait"},
		{"gpg", "--homedir", home, "--batch", "--verify", "SHA256SUMS.asc", "SHA256SUMS"},
		{"gpg", "--homedir", home, "--batch", "--verify", "repodata/repomd.xml.asc", "repodata/repomd.xml"},
		{"sha256sum", "--check", "--strict", "SHA256SUMS"},
	} {
		t.Run(line[0], func(t *testing.T) {
			cmd := exec.Command(hosttest.Program(t, line[0]), line[1:]...)
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", strings.Join(line, " "), err, out)
			}
		})
	}
}

// TestReleaseBreaksOff checks that the earlier release stays unchanged if an error ends
// Make.
func TestReleaseBreaksOff(t *testing.T) {
	built, top := proven(t, lockedSet(t)), t.TempDir()
	o := releaseOf(built, filepath.Join(top, "release"))
	sure(Make(context.Background(), o))
	before := tree(t, o.Output)
	stopped, cancel := context.WithCancelCause(context.Background())
	key := private{sure(rsa.GenerateKey(rand.Reader, 2048)), 1}
	certificate := sure(sign.Certify(context.Background(), &key.key.PublicKey, &key, pgp.NewKeyOptions{Name: "Token", Created: time.Unix(1600000000, 0)})).Key
	var about *pgp.KeyError
	for left := range 5 { // two of a package, one each of lists, provenance and digests
		broken := o
		broken.Key = sign.NewKey(certificate, &private{key.key, left})
		if _, err := Make(context.Background(), broken); !errors.As(err, &about) {
			t.Errorf("with %d signatures: %v", left, err)
		}
	}
	broken := o
	broken.Tell = func(e event.Event) {
		if e.Step == event.Records {
			cancel(errors.New("stopped"))
		}
	}
	if _, err := Make(stopped, broken); err == nil || err.Error() != "stopped" {
		t.Errorf("stopped: %v", err)
	}
	broken = o
	broken.URL = "nowhere"
	if _, err := Make(context.Background(), broken); err == nil || !strings.Contains(err.Error(), `"nowhere" is not the http`) {
		t.Errorf("no URL: %v", err)
	}
	if diff := cmp.Diff(before, tree(t, o.Output)); diff != "" {
		t.Errorf("the release changed: %s", diff)
	}
	if left := sure(filepath.Glob(filepath.Join(top, ".*"))); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// TestReleaseOutput checks that Make takes the hidden folder of a killed process, that two
// processes cannot write the same release, and that only a release is replaced.
func TestReleaseOutput(t *testing.T) {
	built, top := proven(t, lockedSet(t)), t.TempDir()
	o := releaseOf(built, filepath.Join(top, "release"))
	killed := filepath.Join(top, ".release.part", "new", set.RPMS)
	if err := errors.Join(os.MkdirAll(killed, 0o777), os.WriteFile(filepath.Join(top, ".release.part", ".lock"), nil, 0o666), os.WriteFile(filepath.Join(killed, "half.rpm"), nil, 0o666)); err != nil {
		t.Fatal(err)
	}
	sure(Make(context.Background(), o))
	if _, err := os.Stat(filepath.Join(o.Output, set.RPMS, "half.rpm")); err == nil {
		t.Error("what a killed release left is in the release")
	}
	other := sure(durable.Create(o.Output, replaceable))
	var output *durable.Error
	if _, err := Make(context.Background(), o); !errors.As(err, &output) || !strings.Contains(err.Error(), "another namibuild is writing there") {
		t.Errorf("two at once: %v", err)
	}
	other.Close()
	mine := filepath.Join(top, "mine")
	if err := errors.Join(os.Mkdir(mine, 0o777), os.WriteFile(filepath.Join(mine, "letter"), nil, 0o666)); err != nil {
		t.Fatal(err)
	}
	o.Output = mine
	if _, err := Make(context.Background(), o); !errors.As(err, &output) || !strings.Contains(err.Error(), "the folder exists and is not a release") {
		t.Errorf("over something else: %v", err)
	}
	if left := sure(filepath.Glob(filepath.Join(top, ".*"))); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// TestReleaseDiskFull checks that the error says that the disk is full, and that nothing
// is left.
func TestReleaseDiskFull(t *testing.T) {
	hosttest.Root(t)
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=16k"); err != nil {
		t.Fatalf("mounting a small tmpfs: %v", err)
	}
	defer syscall.Unmount(disk, syscall.MNT_DETACH)
	o := releaseOf(proven(t, lockedSet(t)), filepath.Join(disk, "release"))
	if _, err := Make(context.Background(), o); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got %v", err)
	}
	if left := sure(os.ReadDir(disk)); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}
