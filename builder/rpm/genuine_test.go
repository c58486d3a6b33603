package rpm_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"namibuild/builder/pgp"
	"namibuild/builder/rpm"

	other "github.com/cavaliergopher/rpm"
	"github.com/google/go-cmp/cmp"
)

// moduleDir returns the folder in which another reader of RPMs has genuine packages
// and keys of CentOS 2 to 7 for its tests.
func moduleDir(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/cavaliergopher/rpm").Output()
	dir := strings.TrimSpace(string(out))
	if err != nil || dir == "" {
		t.Fatalf("the module github.com/cavaliergopher/rpm is not in the module cache (go mod download): %v", err)
	}
	return dir
}

// genuine returns the real packages by file name.
func genuine(t testing.TB) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(moduleDir(t), "testdata", "*.rpm"))
	if err != nil || len(names) < 10 {
		t.Fatalf("%d genuine packages, want 10: %v", len(names), err)
	}
	packages := make(map[string][]byte)
	for _, name := range names {
		if packages[filepath.Base(name)], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	return packages
}

func centosKey(t testing.TB, release string) []pgp.Key {
	t.Helper()
	f, err := os.Open(filepath.Join(moduleDir(t), "testdata", "RPM-GPG-KEY-CentOS-"+release))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	keys, err := pgp.ParseKeys(f)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestGenuinePackages(t *testing.T) {
	for name, data := range genuine(t) {
		t.Run(name, func(t *testing.T) {
			p, err := rpm.Verify(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			var head bytes.Buffer
			if n, err := p.WriteTo(&head); err != nil || n != p.PayloadOffset {
				t.Fatalf("wrote %d bytes, want %d: %v", n, p.PayloadOffset, err)
			}
			if !bytes.Equal(head.Bytes(), data[:p.PayloadOffset]) {
				t.Error("written again, the package differs")
			}
			compareReaders(t, p, data)
			compareEntries(t, p, data)
		})
	}
}

// compareReaders compares what we and another reader read from a package.
func compareReaders(t *testing.T, p *rpm.Package, data []byte) {
	o, err := other.Read(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	n := p.NEVRA()
	want := rpm.NEVRA{Name: o.Name(), Version: o.Version(), Release: o.Release(), Arch: o.Architecture(), Epoch: n.Epoch}
	if diff := cmp.Diff(want, n); diff != "" {
		t.Error(diff)
	}
	if epoch, _ := strconv.Atoi(n.Epoch); epoch != o.Epoch() || p.BuildTime() != o.BuildTime().Unix() ||
		p.SourceRPM() != o.SourceRPM() || p.IsSource() {
		t.Errorf("epoch %s, built %d, from %q; want %d, %d, %q", n.Epoch, p.BuildTime(), p.SourceRPM(), o.Epoch(), o.BuildTime().Unix(), o.SourceRPM())
	}
	files, err := p.Files()
	if err != nil {
		t.Fatal(err)
	}
	type file struct {
		Path, Digest, Linkname, User, Group string
		Size, Mtime                         int64
		Flags                               int64
	}
	var got, wantFiles []file
	for _, f := range files {
		got = append(got, file{f.Path, f.Digest, f.Linkname, f.User, f.Group, f.Size, f.Mtime, int64(f.Flags)})
	}
	for _, f := range o.Files() {
		wantFiles = append(wantFiles, file{f.Name(), f.Digest(), f.Linkname(), f.Owner(), f.Group(), f.Size(), f.ModTime().Unix(), f.Flags()})
	}
	if diff := cmp.Diff(wantFiles, got); diff != "" {
		t.Error(diff)
	}
}

// compareEntries compares the payload with the header's list of files.
func compareEntries(t *testing.T, p *rpm.Package, data []byte) {
	files, err := p.Files()
	if err != nil {
		t.Fatal(err)
	}
	want := make(map[string]content)
	for _, f := range files {
		want["."+f.Path] = content{f.Mode, f.Mtime, f.Linkname, f.Digest}
	}
	got := make(map[string]content)
	for _, e := range readPayload(t, p, data) {
		got[e.Name] = content{e.Mode, e.Mtime, e.Linkname, e.digest(files[0].DigestAlgo)}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

type content struct {
	Mode             uint32
	Mtime            int64
	Linkname, Digest string
}

func TestGenuineSignatures(t *testing.T) {
	const el6 = "C1DAC52D1664E8A4386DBA430946FCA2C105B9DE"
	packages := genuine(t)
	for _, c := range []struct {
		file, key string
		want      rpm.Signed
	}{
		{"centos-release-as-2.1AS-4.noarch.rpm", "2", signed("881271F0B66849E2FA8687602802E89216FF0E46", "2004-03-16T03:34:16Z", "SHA-1")},
		{"centos-release-3.1-1.i386.rpm", "3", signed("31C942C47E8D1F5CA6A7F1FC7049E44D025E513B", "2004-03-15T22:44:36Z", "SHA-1")},
		{"centos-release-4-0.1.x86_64.rpm", "4", signed("31EA27E56F790C18AD7918DFA53D0BAB443E1821", "2005-03-05T22:12:23Z", "SHA-1")},
		{"centos-release-5-0.0.el5.centos.2.x86_64.rpm", "5", signed("473D66D5212271FD51CC17B1A8A447DCE8562897", "2007-04-08T19:35:11Z", "SHA-1")},
		{"centos-release-6-0.el6.centos.5.x86_64.rpm", "6", signed(el6, "2011-07-03T04:06:42Z", "SHA-256")},
		{"centos-release-6-0.el6.centos.5.i686.rpm", "6", signed(el6, "2011-07-03T04:02:08Z", "SHA-256")},
		{"centos-release-7-2.1511.el7.centos.2.10.x86_64.rpm", "7", signed("6341AB2753D78A78A7C27BB124C6A8A7F4A80EB5", "2015-12-09T10:01:49Z", "SHA-256")},
	} {
		_, got, err := rpm.VerifySigned(bytes.NewReader(packages[c.file]), centosKey(t, c.key))
		if err != nil {
			t.Errorf("%s: %v", c.file, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.file, diff)
		}
	}
}

func TestGenuineOtherKey(t *testing.T) {
	data := genuine(t)["centos-release-6-0.el6.centos.5.x86_64.rpm"]
	var other *rpm.OtherKeyError
	if _, _, err := rpm.VerifySigned(bytes.NewReader(data), centosKey(t, "7")); !errors.As(err, &other) || other.KeyID != "0946FCA2C105B9DE" {
		t.Errorf("got %v, want an OtherKeyError for 0946FCA2C105B9DE", err)
	}
}

// A flipped bit in a real version 3 signature, or in the header of a signed package,
// is an error. This is a sample; all bits are tried on smaller packages.
func TestGenuineFlippedBits(t *testing.T) {
	data := genuine(t)["centos-release-6-0.el6.centos.5.x86_64.rpm"]
	keys := centosKey(t, "6")
	const lead, headers = 96, 1400 // ends in the index of the header
	for i := lead; i < headers; i += 5 {
		damaged := bytes.Clone(data)
		damaged[i] ^= 1 << (i % 8)
		if _, _, err := rpm.VerifySigned(bytes.NewReader(damaged), keys); err == nil {
			t.Errorf("byte %d: no error", i)
		}
	}
}
