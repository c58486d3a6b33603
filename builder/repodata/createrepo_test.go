package repodata_test

import (
	"bytes"
	"compress/gzip"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/hosttest"
	"namibuild/builder/repodata"
	"namibuild/builder/rpm/rpmtest"
)

// run runs a program of the host and returns what it prints.
func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(hosttest.Program(t, name), args...)
	var out, complaint bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &complaint
	cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC")
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %s: %v: %s%s", name, strings.Join(args, " "), err, &out, &complaint)
	}
	return out.String()
}

const epoch = 1389830400

// TestCreaterepoAgrees checks that createrepo_c writes the same for the same packages:
// every element, attribute and text of the three lists, and the index except for the
// checksums of compressed files.
func TestCreaterepoAgrees(t *testing.T) {
	for name, fill := range map[string]func(*testing.T, string){
		"made": madePackages, "rpmbuild": rpmbuildPackages, "genuine": genuinePackages,
	} {
		t.Run(name, func(t *testing.T) {
			ours, theirs := t.TempDir(), t.TempDir()
			fill(t, ours)
			if err := os.CopyFS(theirs, os.DirFS(ours)); err != nil {
				t.Fatal(err)
			}
			setTimes(t, theirs)
			if _, err := repodata.Write(ours, repodata.Options{Epoch: epoch}); err != nil {
				t.Fatal(err)
			}
			run(t, theirs, "createrepo_c", "-q", "--general-compress-type=gz", "--no-database",
				"--revision", strconv.Itoa(epoch), "--set-timestamp-to-revision", ".")
			for _, list := range []string{"primary", "filelists", "other"} {
				want, got := parseList(t, theirs, list), parseList(t, ours, list)
				if len(want.Kids) == 0 {
					t.Errorf("%s: nothing was compared", list)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s: -createrepo_c +ours: %s", list, diff)
				}
			}
			if diff := cmp.Diff(parseIndex(t, theirs), parseIndex(t, ours)); diff != "" {
				t.Errorf("repomd.xml: -createrepo_c +ours: %s", diff)
			}
		})
	}
}

// setTimes sets the time of the files to the one in our lists.
func setTimes(t *testing.T, dir string) {
	t.Helper()
	for _, path := range glob(t, filepath.Join(dir, "*", "*.rpm")) {
		if err := os.Chtimes(path, time.Unix(epoch, 0), time.Unix(epoch, 0)); err != nil {
			t.Fatal(err)
		}
	}
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("nothing is called %s: %v", pattern, err)
	}
	return paths
}

// node is an XML element. Its attributes are sorted, and its text is trimmed if it has
// elements.
type node struct {
	Name  xml.Name
	Attrs []xml.Attr
	Text  string
	Kids  []node
}

func (n *node) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	n.Name = start.Name
	for _, a := range start.Attr {
		if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
			n.Attrs = append(n.Attrs, a)
		}
	}
	slices.SortFunc(n.Attrs, func(a, b xml.Attr) int { return strings.Compare(a.Name.Local, b.Name.Local) })
	for {
		token, err := d.Token()
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.CharData:
			n.Text += string(token)
		case xml.StartElement:
			var kid node
			if err := kid.UnmarshalXML(d, token); err != nil {
				return err
			}
			n.Kids = append(n.Kids, kid)
		case xml.EndElement:
			if len(n.Kids) > 0 {
				n.Text = strings.TrimSpace(n.Text)
			}
			return nil
		}
	}
}

func parse(t *testing.T, data []byte) node {
	t.Helper()
	var n node
	d := xml.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(&n); err != nil {
		t.Fatal(err)
	}
	if token, err := d.Token(); !errors.Is(err, io.EOF) {
		if text, ok := token.(xml.CharData); !ok || len(bytes.TrimSpace(text)) > 0 {
			t.Fatalf("after the root: %v, %v", token, err)
		}
	}
	return n
}

// parseList parses a list. It sorts the packages by their content, because their order
// has no meaning.
func parseList(t *testing.T, dir, list string) node {
	t.Helper()
	n := parse(t, gunzip(t, glob(t, filepath.Join(dir, "repodata", "*-"+list+".xml.gz"))[0]))
	key := func(n node) string {
		for _, a := range n.Attrs {
			if a.Name.Local == "pkgid" {
				return a.Value
			}
		}
		i := slices.IndexFunc(n.Kids, func(k node) bool { return k.Name.Local == "checksum" })
		return n.Kids[i].Text
	}
	slices.SortFunc(n.Kids, func(a, b node) int { return strings.Compare(key(a), key(b)) })
	return n
}

// parseIndex parses repomd.xml, without what depends on compression and white space.
func parseIndex(t *testing.T, dir string) node {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "repodata", "repomd.xml"))
	if err != nil {
		t.Fatal(err)
	}
	n := parse(t, data)
	for i, list := range n.Kids {
		for j, k := range list.Kids {
			switch k.Name.Local {
			case "checksum", "open-checksum":
				n.Kids[i].Kids[j].Text = ""
			case "size", "open-size":
				n.Kids[i].Kids[j].Text = ""
			case "location":
				name := k.Attrs[0].Value
				n.Kids[i].Kids[j].Attrs[0].Value = "repodata/…" + name[strings.LastIndex(name, "-"):]
			}
		}
	}
	return n
}

func gunzip(t *testing.T, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func put(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// genuinePackages returns real packages of CentOS 2 to 7, from the test data of another
// RPM library in the module cache.
func genuinePackages(t *testing.T, dir string) {
	out := run(t, ".", "go", "list", "-m", "-f", "{{.Dir}}", "github.com/cavaliergopher/rpm")
	for _, path := range glob(t, filepath.Join(strings.TrimSpace(out), "testdata", "*.rpm")) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		put(t, dir, "RPMS/"+filepath.Base(path), data)
	}
}

// madePackages returns packages with what a current rpmbuild does not make.
func madePackages(t *testing.T, dir string) {
	put(t, dir, "RPMS/kernel.rpm", rpmtest.Build(kernel))
	put(t, dir, "RPMS/old.rpm", rpmtest.Build(rpmtest.Package{Name: "old", Version: "1", Release: "1", Legacy: true, Change: latin1}))
	put(t, dir, "RPMS/big.rpm", rpmtest.Build(rpmtest.Package{Name: "big", Version: "1", Release: "1", Long: true,
		Files: []rpmtest.File{{Path: "/boot/big", Content: "x"}}}))
	put(t, dir, "SRPMS/kernel.src.rpm", rpmtest.Build(rpmtest.Package{Name: "kernel", Version: "2.6.32", Release: "431.el6", Arch: "x86_64",
		Source: true, Requires: []rpmtest.Require{{Name: "gcc", Flags: rpmtest.Greater | rpmtest.Equal, Version: "3.4.2"}},
		Files: []rpmtest.File{{Path: "kernel.spec", Content: "Name: kernel\n"}}}))
}

// rpmbuildPackages returns packages of rpmbuild, with every kind of dependency.
func rpmbuildPackages(t *testing.T, dir string) {
	spec, err := filepath.Abs("testdata/depends.spec")
	if err != nil {
		t.Fatal(err)
	}
	top := t.TempDir()
	run(t, top, "rpmbuild", "-ba", "--nodeps", "--quiet", "--define", "_topdir "+top, "--define", "_build_id_links none", spec)
	for _, path := range append(glob(t, top+"/RPMS/*/*.rpm"), glob(t, top+"/SRPMS/*.rpm")...) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		put(t, dir, "Packages/"+filepath.Base(path), data)
	}
}
