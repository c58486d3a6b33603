package rpm_test

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"os"

	"namibuild/builder/rpm"

	"pgregory.net/rapid"
)

func TestCompareVersions(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"1.0", "1.0", 0}, {"1.0", "2.0", -1}, {"2.0.1", "2.0", 1}, {"2.0", "2.0.1", -1},
		{"2.0.1a", "2.0.1", 1}, {"2.0.1a", "2.0.1a", 0}, {"5.5p1", "5.5p2", -1}, {"5.5p10", "5.5p1", 1},
		// numbers compare by value, have any length, and may have leading zeros
		{"10", "9", 1}, {"10.0001", "10.1", 0}, {"10.0001", "10.0039", -1}, {"0", "00", 0},
		{"20101121", "20101122", -1}, {"184467440737095516170", "184467440737095516169", 1},
		// digits are newer than letters, letters compare by byte
		{"xyz10", "xyz10.1", -1}, {"xyz.4", "8", -1}, {"8", "xyz.4", 1}, {"1a", "1.1", -1}, {"a", "1", -1},
		{"5.5.el6", "5.5.EL6", 1}, {"10xyz", "10.1xyz", -1}, {"aa", "a", 1}, {"FC5", "fc4", -1},
		// separators are ignored, and so is everything but ASCII
		{"1.2", "1_2", 0}, {"1..2", "1.2", 0}, {"1.2.", "1.2", 0}, {"_", "", 0}, {"1.é", "1", 0}, {"1\xff2", "1.2", 0},
		// a tilde is older than the end
		{"1.0~rc1", "1.0", -1}, {"1.0~rc1", "1.0~rc1", 0}, {"1.0~rc1", "1.0~rc2", -1},
		{"1.0~rc1~git123", "1.0~rc1", -1}, {"1.0", "1.0arc1", -1}, {"~", "", -1}, {"~~", "~", -1},
		// a caret is newer than the end, older than everything else
		{"1.0^", "1.0", 1}, {"1.0^git1", "1.0", 1}, {"1.0^git1", "1.0^git2", -1}, {"1.0^git1", "1.01", -1},
		{"1.0^20160101", "1.0.1", -1}, {"1.0^20160101^git1", "1.0^20160101", 1}, {"1.0^20160102", "1.0^20160101^git1", 1},
		{"1.0~rc1^git1", "1.0~rc1", 1}, {"1.0^git1~pre", "1.0^git1", -1}, {"1.0^git1", "1.0^git1~pre", 1},
		{"1.0^", "1.0~", 1}, {"^", "~", 1}, {"^", "a", -1},
		// the procedure's release is newer than the one that it starts from
		{"431.3.1.namibuild.el6", "431.3.1.el6", 1}, {"431.3.1.el6.namibuild", "431.3.1.el6", 1},
		{"431.3.1.demo.el6", "431.3.1.el6", -1},
	} {
		if got := rpm.CompareVersions(c.a, c.b); got != c.want {
			t.Errorf("CompareVersions(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
		if got := rpm.CompareVersions(c.b, c.a); got != -c.want {
			t.Errorf("CompareVersions(%q, %q) = %d, want %d", c.b, c.a, got, -c.want)
		}
	}
}

// The cases are answers of rpm's own labelCompare for some thousand pairs.
func TestCompareVersionsAsRPMDid(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(moduleDir(t), "testdata", "vercmp.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		A, B   string
		Expect int
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 1000 {
		t.Fatalf("only %d pairs", len(cases))
	}
	for _, c := range cases {
		if got := rpm.CompareVersions(c.A, c.B); got != c.Expect {
			t.Errorf("CompareVersions(%q, %q) = %d, rpm says %d", c.A, c.B, got, c.Expect)
		}
	}
}

func TestCompareVersionsProperties(t *testing.T) {
	version := rapid.StringMatching(`[0-9a-zA-Z.~^_+é-]{0,12}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := version.Draw(t, "a"), version.Draw(t, "b")
		if got := rpm.CompareVersions(a, a); got != 0 {
			t.Errorf("%q against itself: %d", a, got)
		}
		if x, y := rpm.CompareVersions(a, b), rpm.CompareVersions(b, a); x != -y {
			t.Errorf("%q against %q: %d, the other way %d", a, b, x, y)
		}
		if got := rpm.CompareVersions(a+"~", a); got != -1 {
			t.Errorf("%q against %q: %d, want -1", a+"~", a, got)
		}
		if got := rpm.CompareVersions(a+"^", a); got != 1 {
			t.Errorf("%q against %q: %d, want 1", a+"^", a, got)
		}
	})
}

func TestNEVRA(t *testing.T) {
	n := rpm.NEVRA{Name: "kernel", Version: "2.6.32", Release: "431.3.1.el6", Arch: "x86_64"}
	epoch := n
	epoch.Epoch = "1"
	zero := n
	zero.Epoch = "00"
	newer := n
	newer.Release = "431.3.1.namibuild.el6"
	for _, c := range []struct {
		n            rpm.NEVRA
		text, file   string
		compare      rpm.NEVRA
		wantCompared int
	}{
		{n, "kernel-2.6.32-431.3.1.el6.x86_64", "kernel-2.6.32-431.3.1.el6.x86_64.rpm", n, 0},
		{epoch, "kernel-1:2.6.32-431.3.1.el6.x86_64", "kernel-2.6.32-431.3.1.el6.x86_64.rpm", newer, 1},
		{zero, "kernel-00:2.6.32-431.3.1.el6.x86_64", "kernel-2.6.32-431.3.1.el6.x86_64.rpm", n, 0},
		{newer, "kernel-2.6.32-431.3.1.namibuild.el6.x86_64", "kernel-2.6.32-431.3.1.namibuild.el6.x86_64.rpm", n, 1},
	} {
		if got := c.n.String(); got != c.text {
			t.Errorf("String got %q, want %q", got, c.text)
		}
		if got := c.n.Filename(); got != c.file {
			t.Errorf("Filename got %q, want %q", got, c.file)
		}
		if got := c.n.Compare(c.compare); got != c.wantCompared {
			t.Errorf("%s against %s: got %d, want %d", c.n, c.compare, got, c.wantCompared)
		}
		if got := c.compare.Compare(c.n); got != -c.wantCompared {
			t.Errorf("%s against %s: got %d, want %d", c.compare, c.n, got, -c.wantCompared)
		}
	}
}
