package recipe

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

const digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

func TestParseEveryKey(t *testing.T) {
	page := `
name: full.page-1
description: every key
image: centos6
source:
  url: http://example.org/a/kernel-2.6.32-431.3.1.el6.src.rpm
  mirrors:
    - https://example.net/kernel-2.6.32-431.3.1.el6.src.rpm
    - http://example.com/el6/k?file=kernel-2.6.32-431.3.1.el6.src.rpm
  sha256: ` + digest + `
  signed-by: C1DAC52D1664E8A4386DBA430946FCA2C105B9DE
  key: keys/RPM-GPG-KEY-CentOS-6
  tarball: {url: http://example.org/linux-2.6.32.tar.xz, sha256: ` + digest + `}
tag: namibuild_2.x+1
config:
  CONFIG_NET_9P: m
  9P_FS: "n"
  HZ: 1000
  CONFIG_PHYSICAL_START: 0x1000000
  CONFIG_CMDLINE: 'say "a\b"'
  LOCALVERSION: ""
patches:
  - file: fixes/tcp.patch
  - {file: old.diff, strip: 0}
sources:
  - {file: my.config, as: config-local}
  - file: files/genkey
edits:
  - file: include/net/tcp.h
    find: "(60*HZ)"
    replace: (5*HZ)
  - file: Makefile
    find: |
      two
      lines
    replace: ""
    times: 3
  - {in: tree, file: Makefile, regexp: "^(SUBLEVEL) = \\d+$", replace: "${1} = 9"}
  - {in: spec, find: a, replace: b}
  - {in: sources, file: config-x86_64, find: a, replace: b}
rpmbuild:
  with: [firmware, baseonly]
  without: [perf]
  define:
    dist: .el6
    buildid: "7"
packages: [kernel, kernel-devel]
proof:
  time-wait: 5
  fin-timeout: 6
  version: SMP
  modules: [dummy, nf-conntrack]
  signed: true
  allow: ["WARNING: CPU: 0"]
  stock: {time-wait: 60, fin-timeout: 61}
objects: 721
`
	want := Recipe{
		Name: "full.page-1", Description: "every key", Image: "centos6",
		Source: Source{
			URL: "http://example.org/a/kernel-2.6.32-431.3.1.el6.src.rpm",
			Mirrors: []string{
				"https://example.net/kernel-2.6.32-431.3.1.el6.src.rpm",
				"http://example.com/el6/k?file=kernel-2.6.32-431.3.1.el6.src.rpm",
			},
			SHA256: digest, SignedBy: "C1DAC52D1664E8A4386DBA430946FCA2C105B9DE", Key: "keys/RPM-GPG-KEY-CentOS-6",
			Tarball: Tarball{URL: "http://example.org/linux-2.6.32.tar.xz", SHA256: digest},
		},
		Tag: "namibuild_2.x+1",
		Config: []Option{{"CONFIG_NET_9P", "m"}, {"CONFIG_9P_FS", "n"}, {"CONFIG_HZ", "1000"}, {"CONFIG_PHYSICAL_START", "0x1000000"},
			{"CONFIG_CMDLINE", `"say \"a\\b\""`}, {"CONFIG_LOCALVERSION", `""`}},
		Patches: []Patch{{File: "fixes/tcp.patch", Strip: 1}, {File: "old.diff"}},
		Sources: []Added{{File: "my.config", As: "config-local"}, {File: "files/genkey", As: "genkey"}},
		Edits: []Edit{
			{File: "include/net/tcp.h", Find: "(60*HZ)", Replace: "(5*HZ)", Times: 1},
			{File: "Makefile", Find: "two\nlines\n", Replace: "", Times: 3},
			{File: "Makefile", Regexp: `^(SUBLEVEL) = \d+$`, Replace: "${1} = 9", Times: 1},
			{In: InSpec, Find: "a", Replace: "b", Times: 1},
			{In: InSources, File: "config-x86_64", Find: "a", Replace: "b", Times: 1},
		},
		Rpmbuild: Rpmbuild{
			With: []string{"firmware", "baseonly"}, Without: []string{"perf"},
			Define: []Define{{"dist", ".el6"}, {"buildid", "7"}},
		},
		Packages: []string{"kernel", "kernel-devel"}, Objects: 721,
		Proof: Proof{
			TimeWait: 5, FinTimeout: 6, Version: "SMP", Modules: []string{"dummy", "nf-conntrack"}, Signed: true,
			Allow: []string{"WARNING: CPU: 0"}, Stock: &StockProof{60, 61},
		},
	}
	got, err := Parse("full.yaml", []byte(page))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got, allFields); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

func TestParseShortestPages(t *testing.T) {
	tests := map[string]Source{
		"{url: https://example.org/k.src.rpm, sha256: " + digest + "}":              {URL: "https://example.org/k.src.rpm", SHA256: digest},
		"{file: ../k.src.rpm, signed-by: C1DAC52D1664E8A4386DBA430946FCA2C105B9DE}": {File: "../k.src.rpm", SignedBy: "C1DAC52D1664E8A4386DBA430946FCA2C105B9DE"},
		"{pack: demo/small}": {Pack: "demo/small"},
	}
	for source, from := range tests {
		got, err := Parse("r.yaml", []byte("name: x\nimage: debian12\nsource: "+source+"\npackages: [kernel]\n"))
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		want := Recipe{Name: "x", Image: "debian12", Source: from, Packages: []string{"kernel"}}
		if d := cmp.Diff(want, got, allFields); d != "" {
			t.Errorf("%s: -want +got\n%s", source, d)
		}
	}
}

// TestFaults compares the whole list of faults of each page in testdata/faults
// with its golden.
func TestFaults(t *testing.T) {
	pages, err := filepath.Glob("testdata/faults/*.yaml")
	if err != nil || len(pages) == 0 {
		t.Fatal("no pages", err)
	}
	for _, page := range pages {
		t.Run(filepath.Base(page), func(t *testing.T) {
			data, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			r, err := Parse(filepath.Base(page), data)
			if err == nil {
				t.Fatalf("no fault, but %+v", r)
			}
			golden(t, strings.TrimSuffix(page, ".yaml")+".golden", err.Error()+"\n")
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s: -want +got\n%s", name, d)
	}
}

// TestPagesThatAreNotRecipes checks the faults of pages that are wrong as a whole.
func TestPagesThatAreNotRecipes(t *testing.T) {
	tests := []struct {
		name, page string
		want       Faults
	}{
		{"empty", "", Faults{{"r.yaml", 1, 1, "the recipe is empty: must be keys and values"}}},
		{"comment", "# nothing\n", Faults{{"r.yaml", 1, 1, "the recipe is empty: must be keys and values"}}},
		{"text", "\nkernel\n", Faults{{"r.yaml", 2, 1, "the recipe is text: must be keys and values"}}},
		{"list", "- name: x\n", Faults{{"r.yaml", 1, 1, "the recipe is a list: must be keys and values"}}},
		{"null byte", "name: x\ntag: \x00\x00\n", Faults{{"r.yaml", 2, 6, "a control character: must be text in UTF-8"}}},
		{"latin 1", "name: b\xfcro\ntag: \xff\n", Faults{
			{"r.yaml", 1, 8, "a byte that is not UTF-8: must be text in UTF-8"},
			{"r.yaml", 2, 6, "a byte that is not UTF-8: must be text in UTF-8"},
		}},
		{"UTF-16", "\xff\xfen\x00", Faults{{"r.yaml", 1, 1, "a byte that is not UTF-8: must be text in UTF-8"}}},
		{"too big", strings.Repeat("#", MaxSize+1), Faults{{"r.yaml", 1, 1, "the file has more than 1048576 bytes: must be a recipe in YAML"}}},
		{"too deep", strings.Repeat("[", MaxSize/2), Faults{
			{"r.yaml", 1, 10001, "not YAML: while increasing flow level, exceeded max depth of 10000"},
		}},
		{"tab", "\tname: x\n", Faults{{"r.yaml", 1, 1, "not YAML: a tab in the indentation: must be spaces"}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse("r.yaml", []byte(test.page))
			if d := cmp.Diff(error(test.want), err); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
		})
	}
}

// TestAliasBomb checks that a page whose aliases would expand to 10^9 words is
// refused for its aliases, and that they are not expanded.
func TestAliasBomb(t *testing.T) {
	page := "name: &a0 x\n"
	for i := 1; i < 10; i++ {
		p := string(rune('0' + i - 1))
		page += "k" + string(rune('0'+i)) + ": &a" + string(rune('0'+i)) + " [" + strings.Repeat("*a"+p+", ", 10) + "]\n"
	}
	_, err := Parse("r.yaml", []byte(page))
	faults, ok := err.(Faults)
	if !ok || len(faults) < 100 || len(faults) > 130 {
		t.Fatalf("%d faults, want one for each of 100 references and a few more", len(faults))
	}
}

// TestHostilePages checks that pages with nothing but faults are refused quickly,
// and not with megabytes of faults. An eighth of MaxSize shows both.
func TestHostilePages(t *testing.T) {
	most := func(s string) string { return strings.Repeat(s, MaxSize/8/len(s)) }
	half := func(s string) string { return strings.Repeat(s, MaxSize/16/len(s)) }
	for name, page := range map[string]string{
		"unknown keys": most("a: b\n"),
		"broken parts": most("a: [\n"),
		"words":        "rpmbuild: {with: [" + half("a,") + "], without: [" + half("a,") + "]}",
		"references":   "a: &a b\nc: [" + half("*a,") + "]",
	} {
		_, err := Parse("r.yaml", []byte(page))
		faults, ok := err.(Faults)
		if !ok || len(faults) != MaxFaults+1 || !strings.HasSuffix(faults[MaxFaults].Message, " more faults are not listed") {
			t.Errorf("%s: %d faults", name, len(faults))
		}
	}
}

func TestLongestPage(t *testing.T) {
	head := "name: x\nimage: debian12\nsource: {pack: demo}\npackages: [kernel]\n#"
	if _, err := Parse("r.yaml", []byte(head+strings.Repeat("x", MaxSize-len(head)))); err != nil {
		t.Fatal(err)
	}
}
