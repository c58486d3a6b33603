package builder

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/engine"
	"namibuild/builder/engine/enginetest"
	"namibuild/builder/kerneltest"
	"namibuild/builder/rpm"
	"namibuild/builder/rpm/rpmtest"
	"namibuild/builder/set"
	"namibuild/builder/source"
)

// TestRecord checks what the record has of the source, the changes, the build root and the run,
// and that the files that it names are as it says.
func TestRecord(t *testing.T) {
	o, _, _ := setup(t)
	res, err := Build(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(o.Output, set.RecordFile))
	if err != nil {
		t.Fatal(err)
	}
	var got set.Record
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1800000000, 0).UTC()
	if d := cmp.Diff(set.Run{Namibuild: "v1.2.3", Started: at, Finished: at}, got.Run); d != "" {
		t.Error(d)
	}
	sum := func(s string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(s))) }
	want := source.Contents{
		Package: rpm.NEVRA{Name: "kernel", Version: "2.6.32", Release: "431.3.1.el6", Arch: "src"},
		License: "none",
		Files: []source.Content{
			{File: "kernel.spec", Size: int64(len(kerneltest.Spec)), Algorithm: "sha256", Digest: sum(kerneltest.Spec)},
			{File: "linux-2.6.32-431.3.1.el6.tar.bz2", Size: int64(len(kerneltest.Tarball())), Algorithm: "sha256", Digest: sum(kerneltest.Tarball())},
		},
	}
	if d := cmp.Diff(want, got.Source); d != "" {
		t.Error(d)
	}
	for _, a := range []set.Attached{got.Changes, got.BuildRoot} {
		content, err := os.ReadFile(filepath.Join(o.Output, a.File))
		if err != nil || a != (set.Attached{File: a.File, Size: int64(len(content)), SHA256: sum(string(content))}) {
			t.Errorf("%+v: %d bytes, %v", a, len(content), err)
		}
		if !strings.Contains(string(content), "(5*HZ)") && !strings.Contains(string(content), "gcc-4.4.7-4.el6.src.rpm") {
			t.Errorf("%s is\n%s", a.File, content)
		}
	}
	if got.Changes != res.Changes || got.BuildRoot != res.BuildRoot {
		t.Errorf("record %+v, result %+v", got, res)
	}
}

// TestRecordOfNothing checks that the record of a build without changes, clock and version has
// none of them.
func TestRecordOfNothing(t *testing.T) {
	o, f, _ := setup(t)
	f.Program = func(_ context.Context, p *enginetest.Process) engine.Exit {
		p.Topdir["RPMS/x86_64/kernel-2.6.32-1.x86_64.rpm"] = &fstest.MapFile{Mode: 0o644,
			Data: rpmtest.Build(rpmtest.Package{Name: "kernel", Version: "2.6.32", Release: "1", Arch: "x86_64"})}
		return engine.Exit{}
	}
	o.Recipe.Tag, o.Recipe.Edits, o.Now, o.Version = "", nil, nil, ""
	res, err := Build(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if res.Changes != (set.Attached{}) || res.Run != (set.Run{}) {
		t.Errorf("got %+v, %+v", res.Changes, res.Run)
	}
	if _, err := os.Stat(filepath.Join(o.Output, set.ChangesFile)); !os.IsNotExist(err) {
		t.Errorf("%s: %v", set.ChangesFile, err)
	}
	data, _ := os.ReadFile(filepath.Join(o.Output, set.RecordFile))
	for _, absent := range []string{`"changes"`, `"started"`, `"namibuild": "`} {
		if strings.Contains(string(data), absent) {
			t.Errorf("the record has %s", absent)
		}
	}
}
