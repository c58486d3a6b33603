package buildroot

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func list(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name + ".list")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestParse reads lists that images/debian12/buildroot.sh and
// images/centos6/buildroot.sh have written, the latter for genuine packages.
func TestParse(t *testing.T) {
	tests := map[string]Root{
		"debian12": {"debian", "12", []Package{
			{Deb, "apt", "2.6.2", "amd64", "apt 2.6.2", "796fc7fe18866f5b1fb27a115d7339e549d71b7ddbc15b8d6fc4226c243e96d1", "", []string{"BSD-3-clause", "Expat", "GPL-2", "GPL-2+"}},
			{Deb, "base-files", "12.4+deb12u15", "amd64", "base-files 12.4+deb12u15", "3eb1ea6d85488f488cc2a163b98ad640ef88cee4c79287cf14e361aaf6206f47", "", nil},
			{Deb, "bsdutils", "1:2.38.1-5+deb12u3", "amd64", "util-linux 2.38.1-5+deb12u3", "6cae172b006a4603e710e046c3acba8d98d36748894cbe3eeda31d415fec331e", "",
				[]string{"BSD-3-clause", "BSD-4-clause", "BSLA", "GPL-2", "GPL-2+", "GPL-3+", "LGPL", "LGPL-2+", "LGPL-2.1+", "LGPL-3+", "MIT", "public-domain"}},
		}},
		"centos6": {"centos", "6.5", []Package{
			{RPM, "centos-release", "10:5-0.0.el5.centos.2", "x86_64", "centos-release-5-0.0.el5.centos.2.src.rpm", "", "f36d941307229e6cdbf13f9b8694940f09455347", []string{"GPL"}},
			{RPM, "centos-release", "6-0.el6.centos.5", "x86_64", "centos-release-6-0.el6.centos.5.src.rpm", "ffd9e7bdaa4884831a6c055ada01dac96b84c50a8d518dac409b445af5dadc16", "3511dc2866bbc68ac990e12ec1237df15d4b325e", []string{"GPLv2"}},
			{RPM, "epel-release", "7-5", "noarch", "epel-release-7-5.src.rpm", "d6f332ed157de1d42058ec785b392a1cc4b5836c27830af8fbf083cce29ef0ab", "95ae8c280910e4509f4630268483ba4bd9d040ba", []string{"GPLv2"}},
		}},
	}
	for name, want := range tests {
		got, err := Parse(list(t, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: -want +got\n%s", name, d)
		}
		again, err := ParseJSON(got.JSON())
		if d := cmp.Diff(got, again); d != "" || err != nil {
			t.Errorf("%s as JSON: %v\n%s", name, err, d)
		}
	}
}

func TestParseErrors(t *testing.T) {
	const top, pkg = "buildroot 1\tdebian\t12\n", "deb\tbash\t5.2\tamd64\tbash 5.2\t-\t-\n"
	digest := strings.Repeat("0", 64)
	tests := map[string]struct{ list, want string }{
		"nothing":      {"", "the list is empty"},
		"another file": {"root:x:0:0\n", `line 1 is "root:x:0:0", want "buildroot 1"`},
		"newer":        {"buildroot 2\tdebian\t12\n" + pkg, `want "buildroot 1"`},
		"no release":   {"buildroot 1\tdebian\t\n" + pkg, `release ""`},
		"no package":   {top, "it must have at least one package"},
		"cut":          {top + pkg + "deb\tgcc\t12", "line 3: 3 fields, want at least 7"},
		"twice":        {top + pkg + pkg, `package "bash" is in it twice`},
		"kind":         {top + "apk" + pkg[3:], `kind is "apk", must be deb or rpm`},
		"no name":      {top + strings.Replace(pkg, "bash", "-", 1), `"" must be a name`},
		"digest":       {top + strings.Replace(pkg, "-\t-", digest[1:]+"\t-", 1), "must be 64 lower-case"},
		"header":       {top + strings.Replace(pkg, "-\t-", "-\t"+digest, 1), "must be 40 lower-case"},
		"control":      {top + strings.Replace(pkg, "bash 5.2", "bash\x1b[0m", 1), "must be one line"},
	}
	for name, test := range tests {
		if _, err := Parse([]byte(test.list)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v\nwant %s", name, err, test.want)
		}
	}
}

func TestParseJSONErrors(t *testing.T) {
	good, err := Parse(list(t, "debian12"))
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct{ from, to, want string }{
		"another field": {`"release"`, `"relase": "", "release"`, `unknown field "relase"`},
		"order":         {`"name": "apt"`, `"name": "zsh"`, "not sorted"},
		"more":          {"\n}\n", "\n}\n{}", "more text behind"},
		"half":          {"\n}\n", "", "unexpected EOF"},
	}
	for name, test := range tests {
		data := strings.Replace(string(good.JSON()), test.from, test.to, 1)
		if _, err := ParseJSON([]byte(data)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v\nwant %s", name, err, test.want)
		}
	}
}

// FuzzParse checks that ParseJSON reads what JSON writes of a Root from Parse.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"debian12", "centos6"} {
		f.Add(list(f, name))
	}
	f.Add([]byte("buildroot 1\tdebian\t12\ndeb\tbash\t5.2\tamd64\t-\t-\t-\t\xe9\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Parse(data)
		if err != nil {
			return
		}
		again, err := ParseJSON(r.JSON())
		if err != nil || !bytes.Equal(again.JSON(), r.JSON()) {
			t.Errorf("%v\n%s", err, cmp.Diff(r, again))
		}
	})
}
