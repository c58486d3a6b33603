package sbom_test

import (
	"bytes"
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"namibuild/builder/artifact"
	"namibuild/builder/buildroot"
	"namibuild/builder/plan"
	"namibuild/builder/recipe"
	"namibuild/builder/rpm"
	"namibuild/builder/rpm/rpmtest"
	"namibuild/builder/sbom"
	"namibuild/builder/source"
)

var update = flag.Bool("update", false, "rewrite the goldens")

const vaultURL = "http://vault.centos.org/6.5/updates/Source/SPackages/kernel-2.6.32-431.3.1.el6.src.rpm"

// input is a small set of the procedure: two packages made in memory.
func input(t *testing.T) sbom.Input {
	t.Helper()
	return sbom.Input{
		PlanID: strings.Repeat("9", 64),
		Plan: plan.Plan{
			Name: "timewait", Source: recipe.Source{URL: vaultURL, SignedBy: "C1DAC52D1664E8A4386DBA430946FCA2C105B9DE"},
			SRPM: plan.SRPM{File: "kernel-2.6.32-431.3.1.el6.src.rpm", SHA256: strings.Repeat("5", 64), Epoch: 1388793600},
			Tag:  "namibuild", Image: "centos6", ImageDigest: strings.Repeat("1", 64),
			Patches: []plan.Patch{{File: "patches/quiet.patch", Strip: 1, SHA256: strings.Repeat("7", 64)}},
			Sources: []plan.Added{{File: "files/our.config", As: "config-local", SHA256: strings.Repeat("8", 64)}},
		},
		Set: set(t),
		Source: source.Contents{
			Package: rpm.NEVRA{Name: "kernel", Version: "2.6.32", Release: "431.3.1.el6", Arch: "src"}, License: "GPLv2", Vendor: "CentOS",
			Files: []source.Content{
				{File: "linux-2.6.32-431.3.1.el6.tar.bz2", Size: 9, Algorithm: "sha256", Digest: strings.Repeat("a", 64)},
				{File: "kernel.spec", Size: 9, Algorithm: "md5", Digest: strings.Repeat("b", 32)},
			},
		},
		Root: buildroot.Root{Distribution: "centos", Release: "6.5", Packages: []buildroot.Package{
			{Kind: "rpm", Name: "gcc", Version: "4.4.7-4.el6", Arch: "x86_64", Source: "gcc-4.4.7-4.el6.src.rpm", SHA256: strings.Repeat("c", 64), HeaderSHA1: strings.Repeat("d", 40),
				Licenses: []string{"GPLv3+ and GPLv3+ with exceptions and GPLv2+ with exceptions"}},
			{Kind: "rpm", Name: "perl", Version: "4:5.10.1-136.el6", Arch: "x86_64", Source: "perl-5.10.1-136.el6.src.rpm",
				Licenses: []string{"(GPL+ or Artistic) and (GPLv2+ or Artistic)"}},
			// newer in SPDX's list than CycloneDX's schema is
			{Kind: "rpm", Name: "snprintf", Version: "1-1", Arch: "x86_64", Licenses: []string{"snprintf", "Kazlib"}},
			{Kind: "rpm", Name: "zlib", Version: "1.2.3-29.el6", Arch: "x86_64", Source: "zlib-1.2.3-29.el6.src.rpm", Licenses: []string{"zlib and Boost"}},
		}},
		Changes: "diff --git a/kernel.spec b/kernel.spec\n-%define x <1> & 2\n+%define x \"3\"\n",
		Version: "v1.0.0",
	}
}

func set(t *testing.T) artifact.Set {
	t.Helper()
	s := artifact.Set{Dir: t.TempDir()}
	for _, p := range []rpmtest.Package{
		{Name: "kernel", Files: []rpmtest.File{
			{Path: "/boot/System.map-2.6.32", Content: "map"},
			{Path: "/boot/vmlinuz-2.6.32", Content: "bzImage"},
			{Path: "/boot/initramfs-2.6.32.img", Flags: rpm.FlagGhost},
			{Path: "/boot/link", Linkname: "vmlinuz-2.6.32"},
			{Path: "/lib/modules/2.6.32/kernel/a.ko", Content: "module"},
		}},
		{Name: "kernel-devel", Epoch: 1},
	} {
		p.Version, p.Release, p.Arch, p.SourceRPM = "2.6.32", "431.3.1.namibuild.el6", "x86_64", "kernel-2.6.32-431.3.1.namibuild.el6.src.rpm"
		p.Change = license
		data := rpmtest.Build(p)
		pkg, err := rpm.ReadPackage(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		r := artifact.RPM{File: pkg.NEVRA().Filename(), NEVRA: pkg.NEVRA(), Size: int64(len(data)), SHA256: fmt.Sprintf("%x", sha256.Sum256(data))}
		if err := os.WriteFile(filepath.Join(s.Dir, r.File), data, 0o666); err != nil {
			t.Fatal(err)
		}
		s.RPMs = append(s.RPMs, r)
	}
	return s
}

// license gives a package the license that kernels declare.
func license(all []rpm.Value) []rpm.Value {
	all = slices.DeleteFunc(all, func(v rpm.Value) bool { return v.Tag() == rpm.TagLicense })
	return append(all, rpm.StringValue(rpm.TagLicense, "GPLv2"))
}

// documents writes both formats twice, and checks that they do not differ.
func documents(t *testing.T, in sbom.Input) (spdx, cyclonedx []byte) {
	t.Helper()
	for range 2 {
		made, err := sbom.New(in)
		if err != nil {
			t.Fatal(err)
		}
		x, err := made.SPDX()
		if err != nil {
			t.Fatal(err)
		}
		c, err := made.CycloneDX()
		if err != nil {
			t.Fatal(err)
		}
		if spdx != nil && (!bytes.Equal(x, spdx) || !bytes.Equal(c, cyclonedx)) {
			t.Error("two SBOMs of one set differ")
		}
		spdx, cyclonedx = x, c
		slices.Reverse(in.Source.Files) // their order must not matter
	}
	return spdx, cyclonedx
}

func TestGoldens(t *testing.T) {
	spdx, cyclonedx := documents(t, input(t))
	for name, got := range map[string][]byte{"timewait.spdx.json": spdx, "timewait.cdx.json": cyclonedx} {
		file := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(file, got, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s differs (%v); go test -update rewrites it, git diff shows how", file, err)
		}
	}
}

// TestNameDependsOnContent checks that documents of different sets have different
// identifiers, and that the same set in another folder has the same ones.
func TestNameDependsOnContent(t *testing.T) {
	seen := map[string]string{}
	for name, change := range map[string]func(*sbom.Input){
		"as it is":  func(*sbom.Input) {},
		"digest":    func(in *sbom.Input) { in.Set.RPMs[0].SHA256 = strings.Repeat("0", 64) },
		"epoch":     func(in *sbom.Input) { in.Plan.SRPM.Epoch++ },
		"tool":      func(in *sbom.Input) { in.Root.Packages[0].SHA256 = "" },
		"change":    func(in *sbom.Input) { in.Changes += "+\n" },
		"no change": func(in *sbom.Input) { in.Changes = "" },
		"insecure":  func(in *sbom.Input) { in.Plan.Insecure = "it is not signed" },
		"license":   func(in *sbom.Input) { in.Source.License = "GPLv2+" },
	} {
		in := input(t)
		change(&in)
		spdx, cyclonedx := documents(t, in)
		for _, doc := range [][]byte{spdx, cyclonedx} {
			id := between(string(doc), "urn:uuid:", `"`)
			if other, twice := seen[id]; twice || len(id) != 36 {
				t.Errorf("%s has the identifier of %s: %q", name, other, id)
			}
			seen[id] = name
		}
		again, _ := documents(t, func() sbom.Input { in := input(t); change(&in); return in }())
		if !bytes.Equal(again, spdx) {
			t.Errorf("%s: the document depends on the folder", name)
		}
	}
}

func between(s, from, to string) string {
	_, s, _ = strings.Cut(s, from)
	s, _, _ = strings.Cut(s, to)
	return s
}

// TestInsecureIsSaid checks that both documents say it, for people and for
// programs.
func TestInsecureIsSaid(t *testing.T) {
	in := input(t)
	in.Plan.Insecure = "the package is not signed"
	spdx, cyclonedx := documents(t, in)
	if n := strings.Count(string(spdx), "NOT TRUSTED: it was taken although the package is not signed"); n != 2 {
		t.Errorf("SPDX says it %d times", n)
	}
	for _, want := range []string{"NOT TRUSTED", `"namibuild:insecure"`} {
		if !strings.Contains(string(cyclonedx), want) {
			t.Errorf("CycloneDX lacks %s", want)
		}
	}
}

func TestNewErrors(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*testing.T, *sbom.Input)
		want   string
	}{
		"empty":     {func(_ *testing.T, in *sbom.Input) { in.Set.RPMs = nil }, "it has no package"},
		"gone":      {func(_ *testing.T, in *sbom.Input) { in.Set.Dir = "/nowhere" }, "reading kernel-2.6.32-431.3.1.namibuild.el6.x86_64.rpm: open /nowhere/"},
		"another":   {func(_ *testing.T, in *sbom.Input) { in.Set.RPMs[1].File = in.Set.RPMs[0].File }, "it is kernel-2.6.32-431.3.1.namibuild.el6.x86_64, want kernel-devel-1:"},
		"truncated": {truncate, "reading header"},
	} {
		in := input(t)
		test.change(t, &in)
		if _, err := sbom.New(in); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v\nwant %s", name, err, test.want)
		}
	}
}

func truncate(t *testing.T, in *sbom.Input) {
	if err := os.Truncate(filepath.Join(in.Set.Dir, in.Set.RPMs[0].File), 700); err != nil {
		t.Fatal(err)
	}
}
