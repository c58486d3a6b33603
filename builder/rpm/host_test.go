package rpm_test

import (
	"bytes"
	"crypto"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"namibuild/builder/hosttest"
	"namibuild/builder/rpm"
	"namibuild/builder/rpm/rpmtest"

	"github.com/google/go-cmp/cmp"
)

// run runs one of rpm's own tools and returns what it prints.
func run(t *testing.T, stdin []byte, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(hosttest.Program(t, name), args...)
	var out, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), &out, &stderr
	cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC")
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %s: %v: %s%s", name, strings.Join(args, " "), err, &out, &stderr)
	}
	return out.String()
}

// store writes a package to a file.
func store(t *testing.T, data []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "p.rpm")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// Real rpm accepts what rpmtest makes, and reads the same from it as we do.
func TestRPMAgreesOnMadePackages(t *testing.T) {
	for _, p := range []rpmtest.Package{binary, source} {
		for name, v := range variants(t, p) {
			t.Run(p.Name+"-"+name, func(t *testing.T) {
				data := rpmtest.Build(v)
				file := store(t, data)
				if got := run(t, nil, "rpm", "-K", "--nosignature", file); !strings.HasSuffix(got, ": digests OK\n") {
					t.Error(got)
				}
				agree(t, file, data)
				if !v.Long { // cpio does not know entries by number
					agreeOnPayload(t, file, data)
				} else {
					agreeOnArchive(t, file, data)
				}
			})
		}
	}
}

// Real rpm reads the same from real packages as we do.
func TestRPMAgreesOnGenuinePackages(t *testing.T) {
	for name, data := range genuine(t) {
		t.Run(name, func(t *testing.T) {
			file := store(t, data)
			agree(t, file, data)
			agreeOnPayload(t, file, data)
		})
	}
}

// agree compares what we and rpm read of name and files.
func agree(t *testing.T, file string, data []byte) {
	t.Helper()
	p := parse(t, data)
	n := p.NEVRA()
	if n.Epoch == "" {
		n.Epoch = "(none)"
	}
	from := p.SourceRPM()
	if p.IsSource() {
		from = "(none)"
	}
	got := fmt.Sprintln(n.Name, n.Epoch, n.Version, n.Release, p.Header.String(rpm.TagArch), p.BuildTime(), from)
	const query = "%{NAME} %{EPOCH} %{VERSION} %{RELEASE} %{ARCH} %{BUILDTIME} %{SOURCERPM}\n"
	if want := run(t, nil, "rpm", "-qp", "--nosignature", "--qf", query, file); got != want {
		t.Errorf("got %s, rpm says %s", got, want)
	}
	n.Epoch = ""
	if want := run(t, nil, "rpm", "-qp", "--nosignature", file); n.String()+"\n" != want {
		t.Errorf("got %s, rpm says %s", n, want)
	}
	files, err := p.Files()
	if err != nil {
		t.Fatal(err)
	}
	got = ""
	for _, f := range files {
		got += fmt.Sprintf("%s|%d|%d|%d|%d|%s|%s|%s|%s\n", f.Path, f.Size, f.Mode, f.Flags, f.Mtime, f.Digest, f.Linkname, f.User, f.Group)
	}
	const list = "[%{FILENAMES}|%{LONGFILESIZES}|%{FILEMODES}|%{FILEFLAGS}|%{FILEMTIMES}|%{FILEDIGESTS}|%{FILELINKTOS}|%{FILEUSERNAME}|%{FILEGROUPNAME}\n]"
	if diff := cmp.Diff(run(t, nil, "rpm", "-qp", "--nosignature", "--qf", list, file), got); diff != "" {
		t.Error(diff)
	}
	agreeOnRelations(t, file, p)
	agreeOnChangelog(t, file, p)
}

func agreeOnRelations(t *testing.T, file string, p *rpm.Package) {
	t.Helper()
	var got, query string
	for kind, name := range []string{"PROVIDE", "REQUIRE", "CONFLICT", "OBSOLETE", "SUGGEST", "ENHANCE", "RECOMMEND", "SUPPLEMENT"} {
		list, err := p.Dependencies(rpm.Relation(kind))
		if err != nil {
			t.Fatal(err)
		}
		got += name + "\n"
		for _, d := range list {
			got += fmt.Sprintf("%s|%d|%s\n", d.Name, d.Flags, d.Version)
		}
		query += fmt.Sprintf("%[1]s\n[%%{%[1]sNAME}|%%{%[1]sFLAGS}|%%{%[1]sVERSION}\n]", name)
	}
	want := strings.ReplaceAll(run(t, nil, "rpm", "-qp", "--nosignature", "--qf", query, file), "(none)|(none)|(none)\n", "")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func agreeOnChangelog(t *testing.T, file string, p *rpm.Package) {
	t.Helper()
	log, err := p.Changelog()
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("%d %d\n", p.InstalledSize(), p.ArchiveSize())
	for _, c := range log {
		got += fmt.Sprintf("%d|%s|%s\n", c.Time, c.Author, c.Text)
	}
	const query = "%{LONGSIZE} %{LONGARCHIVESIZE}\n[%{CHANGELOGTIME}|%{CHANGELOGNAME}|%{CHANGELOGTEXT}\n]"
	want := strings.TrimSuffix(run(t, nil, "rpm", "-qp", "--nosignature", "--qf", query, file), "(none)|(none)|(none)\n")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// agreeOnPayload unpacks with rpm2cpio and cpio and compares contents.
func agreeOnPayload(t *testing.T, file string, data []byte) {
	t.Helper()
	dir := t.TempDir()
	archive := run(t, nil, "rpm2cpio", file)
	run(t, []byte(archive), "cpio", "-idm", "--quiet", "-D", dir)
	compareUnpacked(t, dir, data)
}

// agreeOnArchive does it with rpm2archive, which knows entries by number.
func agreeOnArchive(t *testing.T, file string, data []byte) {
	t.Helper()
	run(t, nil, "rpm2archive", file)
	dir := t.TempDir()
	run(t, nil, "tar", "-xzf", file+".tgz", "-C", dir)
	compareUnpacked(t, dir, data)
}

func compareUnpacked(t *testing.T, dir string, data []byte) {
	t.Helper()
	entries := readPayload(t, parse(t, data), data)
	shared := make(map[int64]string)
	for _, e := range entries {
		if e.Nlink > 1 && e.content != "" {
			shared[e.Inode] = e.content
		}
	}
	for _, e := range entries {
		if e.Nlink > 1 && e.Mode&0o170000 == 0o100000 {
			e.content = shared[e.Inode] // only the last hard link has content
		}
		path := filepath.Join(dir, e.Name)
		info, err := os.Lstat(path)
		if err != nil {
			t.Error(err)
			continue
		}
		var content []byte
		switch {
		case info.Mode().IsRegular():
			content, err = os.ReadFile(path)
		case info.Mode()&os.ModeSymlink != 0:
			var target string
			if target, err = os.Readlink(path); target != e.Linkname {
				t.Errorf("%s: links to %q, unpacked by rpm to %q", e.Name, e.Linkname, target)
			}
		}
		mode := uint32(info.Mode().Perm())
		if e.Linkname != "" {
			mode = e.Mode & 0o777 // the system sets the mode of a link
		}
		if err != nil || string(content) != e.content || mode != e.Mode&0o777 {
			t.Errorf("%s: unpacked by rpm as %s, %d bytes, differs: %v", e.Name, info.Mode(), len(content), err)
		}
	}
}

// Real rpm accepts the signatures of version 3 and 4 that our tests make for
// VerifySigned.
func TestRPMAgreesOnSignatures(t *testing.T) {
	e := certify(newKey().PrivateKey, nil)
	db := t.TempDir()
	file := filepath.Join(db, "key")
	if err := os.WriteFile(file, armored(t, e), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, nil, "rpm", "--dbpath", db, "--import", file)
	at := keyBorn.Add(time.Hour)
	for name, sign := range map[string]func([]byte) []byte{
		"version 3": signV3(e.PrivateKey, at),
		"version 4": sign(e.PrivateKey, crypto.SHA256, at),
	} {
		p := source
		p.Sign = sign
		got := run(t, nil, "rpm", "--dbpath", db, "-K", store(t, rpmtest.Build(p)))
		if !strings.HasSuffix(got, ": digests signatures OK\n") {
			t.Errorf("%s: %s", name, got)
		}
	}
}
