package source_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/hosttest"
	"namibuild/builder/recipe"
	"namibuild/builder/rpm/rpmtest"
	"namibuild/builder/source"
)

// kin is the SRPM of one family: testdata/family/NAME.spec, the tree, and the files
// with a configuration.
type kin struct {
	name, pkg, version, release, dist string
	top                               string // of the tree; also in the tarball's name
	configs                           []string
	tagged                            string // the release with the tag
}

var kins = []kin{
	{"el7", "kernel", "3.10.0", "1160.119.1.el7", ".el7", "linux-3.10.0-1160.119.1.el7",
		[]string{"kernel-3.10.0-x86_64.config", "kernel-3.10.0-x86_64-debug.config"}, "1160.119.1.namibuild.el7"},
	{"el8", "kernel", "4.18.0", "513.5.1.el8_9", ".el8_9", "linux-4.18.0-513.5.1.el8_9",
		[]string{"kernel-x86_64.config", "kernel-x86_64-debug.config"}, "513.5.1.namibuild.el8_9"},
	{"el9", "kernel", "5.14.0", "362.8.1.el9_3", ".el9_3", "linux-5.14.0-362.8.1.el9_3",
		[]string{"kernel-x86_64-rhel.config", "kernel-x86_64-debug-rhel.config", "kernel-local"}, "362.8.1.namibuild.el9_3"},
	{"elrepo", "kernel-ml", "6.6.0", "1.el9.elrepo", ".el9.elrepo", "linux-6.6",
		[]string{"config-6.6.0-x86_64"}, "1.namibuild.el9.elrepo"},
}

func (k kin) spec(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("testdata/family/" + k.name + ".spec")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// srpm writes the SRPM of the family with that spec.
func (k kin) srpm(t *testing.T, spec string) string {
	t.Helper()
	tree := pack(t, []item{file(k.top+"/Makefile", makefile), file(k.top+"/include/net/tcp.h", tcph)})
	p := rpmtest.Package{Name: k.pkg, Version: k.version, Release: k.release, Arch: "x86_64", Source: true, BuildTime: epoch, Files: []rpmtest.File{
		{Path: k.pkg + ".spec", Content: spec, Flags: 1 << 5, Mtime: oldTime},
		{Path: k.top + ".tar.xz", Content: string(compress(t, "xz", tree)), Mtime: oldTime},
	}}
	for _, name := range k.configs {
		p.Files = append(p.Files, rpmtest.File{Path: name, Content: "# x86_64\nCONFIG_NET_9P=m\n", Mtime: oldTime})
	}
	return write(t, p)
}

var kinRecipe = recipe.Recipe{
	Tag: "namibuild", Edits: timewait.Edits,
	Config: []recipe.Option{{Name: "CONFIG_NET_9P", Value: "y"}},
}

// TestFamilies checks what a tag, an edit and an option change in each family.
func TestFamilies(t *testing.T) {
	for _, k := range kins {
		t.Run(k.name, func(t *testing.T) {
			srpm := k.srpm(t, k.spec(t))
			preview, err := source.Inspect(t.Context(), at(t, srpm), kinRecipe, nil)
			if err != nil {
				t.Fatal(err)
			}
			got := fmt.Sprintf("%q\n%q\n", preview.Notes, preview.Warnings)
			for _, r := range preview.Renames {
				got += fmt.Sprintf("%s: %s -> %s\n", r.What, r.From, r.To)
			}
			got += preview.Diff()
			golden := "testdata/family/" + k.name + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Error(diff)
			}
			again, _ := prepare(t, srpm, kinRecipe)
			if diff := cmp.Diff(preview, again); diff != "" {
				t.Error("Prepare and Inspect return different previews", diff)
			}
		})
	}
}

// TestFamiliesInRpmbuild checks that real rpm finds the intended release in the
// tagged spec, and that its %prep finds tarball and directory and writes the
// release into the Makefile.
func TestFamiliesInRpmbuild(t *testing.T) {
	for _, k := range kins {
		t.Run(k.name, func(t *testing.T) {
			out, dir := scratch(t), t.TempDir()
			if _, err := source.Prepare(t.Context(), at(t, k.srpm(t, k.spec(t))), kinRecipe, out, nil); err != nil {
				t.Fatal(err)
			}
			run(t, "tar", "-C", dir, "-xf", out.Name(), "--no-same-owner")
			spec := filepath.Join(dir, "SPECS", k.pkg+".spec")
			args := []string{"--target", "x86_64", "--define", "_topdir " + dir, "--define", "dist " + k.dist}
			query := exec.Command(hosttest.Program(t, "rpmspec"), append(args, "-q", "--srpm", "--qf", "%{version}-%{release}", spec)...)
			if got, err := query.Output(); err != nil || string(got) != k.version+"-"+k.tagged {
				t.Errorf("rpmspec: %s, %v", got, err)
			}
			// Only in %prep, where the specs need no other sources.
			run(t, "sed", "-i", `/^Source[1-9][0-9]*: kernel-abi/d`, spec)
			run(t, "rpmbuild", append(args, "-bp", "--nodeps", spec)...)
			found, err := filepath.Glob(filepath.Join(dir, "BUILD/*/linux-"+k.version+"-"+k.tagged+".x86_64/Makefile"))
			if err != nil || len(found) != 1 {
				t.Fatalf("%v, %v", found, err)
			}
			text, err := os.ReadFile(found[0])
			if want := "\nEXTRAVERSION = -" + k.tagged + ".x86_64\n"; err != nil || !strings.Contains(string(text), want) {
				t.Errorf("%v\n%s", err, text)
			}
		})
	}
}

// TestTagAlone checks that a tag without edits in the tree leaves a tarball as it is,
// even one that cannot be read, if its name does not have the release.
func TestTagAlone(t *testing.T) {
	k := kins[1]
	p := rpmtest.Package{Name: k.pkg, Version: k.version, Release: k.release, Source: true, BuildTime: epoch, Files: []rpmtest.File{
		{Path: "kernel.spec", Content: k.spec(t), Flags: 1 << 5}, {Path: k.top + ".tar.xz", Content: "no tarball at all"},
	}}
	preview, got := prepare(t, write(t, p), recipe.Recipe{Tag: "namibuild"})
	if content(t, got, "SOURCES/"+k.top+".tar.xz") != "no tarball at all" || len(preview.Changes) != 1 || preview.Tarball != k.top+".tar.xz" {
		t.Errorf("%+v", preview)
	}
}

// TestFamilyFaults checks the faults for macros and lines that a family lacks.
func TestFamilyFaults(t *testing.T) {
	for name, c := range map[string]struct {
		kin       kin
		old, next string
		want      []source.Fault
	}{
		"el7 without pkgrelease": {kins[0], "%define pkgrelease", "#define pkgrelease", []source.Fault{
			{File: "kernel.spec", Line: 26, Want: "the file of Source0 in the SRPM, `linux-3.10.0-%{pkgrelease}.tar.xz`", Found: kins[0].top + ".tar.xz"},
			{File: "kernel.spec", Want: "one line `%define pkgrelease`", Found: "no such line"}}},
		"el7 with another directory": {kins[0], "%define rheltarball %{rpmversion}-%{pkgrelease}", "%define rheltarball %{rpmversion}-%{distro_build}", []source.Fault{
			{File: "kernel.spec", Line: 15, Want: "rheltarball that names " + kins[0].top + ", as Source0 in line 26", Found: "`%{rpmversion}-%{distro_build}`"}}},
		"el7 whose directory stays": {kins[0], "%define rheltarball %{rpmversion}-%{pkgrelease}", "%define rheltarball 3.10.0-1160.119.1.el7", []source.Fault{
			{File: "kernel.spec", Line: 15, Want: "rheltarball that follows pkgrelease", Found: "`3.10.0-1160.119.1.el7`"}}},
		"el8 without a number": {kins[1], "%define specrelease 513.5.1%{?dist}", "%define specrelease %{distro_build}%{?dist}", []source.Fault{
			{File: "kernel.spec", Line: 13, Want: "specrelease that begins with the release's number", Found: "`%{distro_build}%{?dist}`"}}},
		"el9 twice": {kins[2], "%define specrelease", "%define specrelease 1%{?dist}\n%define specrelease", []source.Fault{
			{File: "kernel.spec", Want: "one line `%define specrelease`", Found: "2: lines 12, 13"}}},
		"el9 without EXTRAVERSION": {kins[2], "EXTRAVERSION = -${ShortRel}", "EXTRAVERSION = -1", []source.Fault{
			{File: "kernel.spec", Want: "a line that puts %{release} into the Makefile's EXTRAVERSION, as in el8 and el9", Found: "no such line"}}},
		"ELRepo without a tarball": {kins[3], "%define LKAver 6.6", "%define LKAver 6.7", []source.Fault{
			{File: "kernel-ml.spec", Line: 26, Want: "the file of Source0 in the SRPM, `linux-6.7.tar.xz`", Found: "linux-6.6.tar.xz"}}},
	} {
		t.Run(name, func(t *testing.T) {
			before := c.kin.spec(t)
			spec := strings.Replace(before, c.old, c.next, 1)
			if spec == before {
				t.Fatal("nothing changed")
			}
			if diff := cmp.Diff(c.want, faultsOf(t, c.kin.srpm(t, spec), recipe.Recipe{Tag: "namibuild"})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestOlderFamilies checks that the warning uses the number of the family's release.
func TestOlderFamilies(t *testing.T) {
	for _, k := range kins {
		for tag, older := range map[string]bool{"namibuild": false, "a": true} {
			preview, err := source.Inspect(t.Context(), at(t, k.srpm(t, k.spec(t))), recipe.Recipe{Tag: tag}, nil)
			if err != nil || len(preview.Warnings) > 0 != older {
				t.Errorf("%s, %s: %q %v", k.name, tag, preview.Warnings, err)
			}
		}
	}
}

// TestTarballBeside checks that an SRPM without its tarball, as real rpm makes it for
// NoSource, is built with the tarball of the recipe.
func TestTarballBeside(t *testing.T) {
	k := kins[3]
	top := t.TempDir()
	for _, dir := range []string{"SOURCES", "SPECS"} {
		if err := os.Mkdir(filepath.Join(top, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	save := func(name, content string) {
		if err := os.WriteFile(filepath.Join(top, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tarball := string(compress(t, "xz", pack(t, []item{file(k.top+"/Makefile", makefile), file(k.top+"/include/net/tcp.h", tcph)})))
	save("SPECS/kernel-ml.spec", strings.Replace(k.spec(t), "Source1:", "NoSource: 0\nSource1:", 1))
	save("SOURCES/"+k.configs[0], "# x86_64\nCONFIG_NET_9P=m\n")
	save("SOURCES/"+k.top+".tar.xz", tarball)
	run(t, "rpmbuild", "-bs", "--target", "x86_64", "--define", "_topdir "+top, "--define", "dist "+k.dist, filepath.Join(top, "SPECS/kernel-ml.spec"))
	srpm := filepath.Join(top, "SRPMS/kernel-ml-6.6.0-1.el9.elrepo.nosrc.rpm")

	r := kinRecipe
	const left = "that the SRPM leaves it out (NoSource); set tarball: in the recipe's source:"
	if got := faultsOf(t, srpm, r); len(got) != 1 || got[0].Found != left {
		t.Errorf("%+v", got)
	}
	save("held", tarball)
	r.Source.Tarball = recipe.Tarball{URL: "http://example.org/a/" + k.top + ".tar.xz", File: filepath.Join(top, "held")}
	preview, got := prepare(t, srpm, r)
	if preview.Tarball != k.top+".tar.xz" || len(preview.Changes) != 3 {
		t.Errorf("%+v", preview)
	}
	inner := unpack(t, strings.NewReader(content(t, got, "SOURCES/"+k.top+".tar.xz")))
	if text := content(t, inner, k.top+"/include/net/tcp.h"); text != strings.Replace(tcph, "(60*HZ)", "(5*HZ)", 1) {
		t.Errorf("tcp.h: %s", text)
	}
	seen, err := source.Inspect(t.Context(), at(t, srpm, r.Source.Tarball.File), r, nil)
	if diff := cmp.Diff(preview, seen); err != nil || diff != "" {
		t.Error("Inspect and Prepare return different previews", err, diff)
	}
	r.Edits, r.Config = nil, nil // only the tag, which leaves the tarball as it is
	if _, got := prepare(t, srpm, r); content(t, got, "SOURCES/"+k.top+".tar.xz") != tarball {
		t.Error("the tarball has changed")
	}
	const want = "inspecting el7.src.rpm: the SRPM has linux-3.10.0-1160.119.1.el7.tar.xz itself: the recipe must not have a tarball"
	whole := kins[0].srpm(t, kins[0].spec(t))
	r.Source.Tarball.URL = "http://example.org/linux-3.10.0-1160.119.1.el7.tar.xz"
	if _, err := source.Inspect(t.Context(), at(t, whole), r, nil); err == nil || err.Error() != strings.Replace(want, "el7.src.rpm", filepath.Base(whole), 1) {
		t.Error(err)
	}
}
