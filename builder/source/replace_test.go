package source

import (
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"namibuild/builder/recipe"
)

// TestReplaceProperty checks that an edit that fits changes its matches and no other
// byte, and that one that does not fit counts the matches right.
func TestReplaceProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		find := rapid.StringMatching(`[xyz\n]{1,4}`).Draw(t, "find")
		with := rapid.StringMatching(`[abxyz\n]{0,4}`).Draw(t, "with")
		parts := rapid.SliceOfN(rapid.StringMatching(`[abc\n]{0,9}`), 1, 6).Draw(t, "parts")
		text := strings.Join(parts, find)
		if strings.ContainsAny(find, "\n") { // parts must not complete a match
			text = strings.ReplaceAll(strings.Join(parts, "\x00"), "\n", " ")
			text = strings.ReplaceAll(text, "\x00", find)
		}
		if strings.Count(text, find) != len(parts)-1 {
			return // adjacent matches
		}
		wanted := rapid.IntRange(1, 6).Draw(t, "times")
		got, fault := replace("f", []byte(text), recipe.Edit{Find: find, Replace: with, Times: wanted})
		if (fault == nil) != (wanted == len(parts)-1) {
			t.Fatalf("%d matches, %d wanted: %v", len(parts)-1, wanted, fault)
		}
		if fault == nil && string(got) != strings.Join(strings.Split(text, find), with) {
			t.Fatalf("%q", got)
		}
	})
}

// TestMatchLinesProperty checks that a match begins in every line that is named.
func TestMatchLinesProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := []byte(rapid.StringMatching(`[ab\n]{0,60}`).Draw(t, "text"))
		find := []byte(rapid.StringMatching(`[ab\n]{1,3}`).Draw(t, "find"))
		lines := matchLines(text, find, 100)
		if len(lines) != bytes.Count(text, find) {
			t.Fatalf("%d lines of %d matches", len(lines), bytes.Count(text, find))
		}
		starts := bytes.SplitAfter(text, []byte("\n"))
		for _, n := range lines {
			rest := bytes.Join(starts[n-1:], nil)
			if at := bytes.Index(rest, find); at < 0 || at >= len(starts[n-1]) {
				t.Fatalf("%[3]q does not begin in line %[1]d of %[2]q", n, text, find)
			}
		}
	})
}

// TestTagVersionProperty checks that the tag is added once, behind build, and that
// removing it restores the version.
func TestTagVersionProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := rapid.StringMatching(`[0-9]\.[0-9]{1,2}\.[0-9]{1,3}`).Draw(t, "base")
		build := rapid.StringMatching(`[0-9]{1,3}(\.[0-9]{1,2}){0,3}`).Draw(t, "build")
		rest := rapid.StringMatching(`(\.[a-z][a-z0-9]{0,4}){0,2}`).Draw(t, "rest")
		tag := rapid.StringMatching(`[a-z0-9]{1,9}(\.[a-z0-9]{1,3})?`).Draw(t, "tag")
		front, next, ok := tagVersion(base+"-"+build+rest, build, tag)
		if !ok || front != base || next != base+"-"+build+"."+tag+rest {
			t.Fatalf("%q %q %v", front, next, ok)
		}
		if _, _, ok := tagVersion(base+"-"+build+"0"+rest, build, tag); ok {
			t.Fatal("a longer number is taken for build")
		}
	})
}

// TestSpecWithProperty checks that changing one line of a spec keeps all other bytes.
func TestSpecWithProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := rapid.StringMatching(`([a-z%#\n\r\t\x80-\xff]{0,20}\n)?`).Draw(t, "before")
		space := rapid.StringMatching(`[ \t]{1,3}`)
		line := "%define" + space.Draw(t, "first") + "kversion" + space.Draw(t, "second")
		after := rapid.StringMatching(`[ \t]{0,2}\r?(\n[a-z #\n]{0,20})?`).Draw(t, "after")
		s := parseSpec("s", []byte(before+line+"1-2"+after), nil)
		found := s.definitions("kversion")
		if len(found) != 1 || found[0].text != "1-2" {
			t.Fatalf("%v in %q", found, s.bytes())
		}
		if got := string(s.with(found[0], "1-2.x").bytes()); got != before+line+"1-2.x"+after {
			t.Fatalf("%q", got)
		}
	})
}

// FuzzSpecTag checks that a tag changes three lines of any spec, or reports a fault,
// and that the changed spec has the tag where it belongs.
func FuzzSpecTag(f *testing.F) {
	f.Add([]byte("%define distro_build 431.3.1\n%define kversion 2.6.32-431.3.1.el6\nSource0: linux-2.6.32-431.3.1.el6.tar.bz2\n"), "namibuild")
	f.Add([]byte("%global distro_build 1\r\n%define kversion 6-1\nSource: linux-%{kversion}.tar\n"), "a")
	f.Add([]byte("%define a %{b}\n%define b %{a}%{a}\nSource0: %{a}\n%define kversion %{a}\n"), "\xff")
	const extraversion = "\"s/^EXTRAVERSION.*/EXTRAVERSION = -%{release}/\"\n"
	f.Add([]byte("%define pkgrelease 3.el7\n%define rheltarball 6-%{pkgrelease}\nSource0: linux-%{rheltarball}.tar.xz\n"+extraversion), "b")
	f.Add([]byte("%define pkgrelease 3.el7\n%define rheltarball 6-%{pkgrelease}\nSource0: linux-6-3.el7.tar.xz\n"+extraversion), "b")
	f.Add([]byte("%define specrelease 3%{?dist}\nSource0: linux-6-1.tar\n"+extraversion), "b")
	f.Add([]byte("%define LKAver 6-1\n%define pkg_release 1%{?buildid}\nSource0: http://a/linux-%{LKAver}.tar\n"+extraversion), "b")
	f.Fuzz(func(t *testing.T, text []byte, tag string) {
		if strings.ContainsAny(tag, "\r\n") {
			return // a recipe cannot have such a tag
		}
		files := []string{"linux-2.6.32-431.3.1.el6.tar.bz2", "linux-6-1.tar", "linux-6-3.el7.tar.xz"}
		r := retag(parseSpec("s", text, nil), tag, files, "431.3.1.el6")
		if len(r.faults) > 0 {
			return
		}
		before, after := bytes.Split(text, []byte("\n")), bytes.Split(r.spec.bytes(), []byte("\n"))
		changed := 0
		for i := range before {
			if !bytes.Equal(before[i], after[i]) {
				changed++
			}
		}
		again := parseSpec("s", r.spec.bytes(), nil)
		if _, other := familyOf(again); other {
			if len(before) != len(after) || changed < 1 || changed > 2 || r.newTarball == "" || r.extraversion != "" {
				t.Fatalf("%d lines changed of %q: %+v", changed, text, r)
			}
			return
		}
		if len(before) != len(after) || changed < 2 || changed > 3 {
			t.Fatalf("%d lines changed of %q: %q", changed, text, r.spec.bytes())
		}
		kversion := strings.TrimPrefix(r.newDir, "linux-")
		sources, kversions := again.sources(), again.definitions("kversion")
		if !strings.HasSuffix(again.expand(sources[0]), r.newTarball) || kversions[0].text != kversion {
			t.Fatalf("%q does not name %s", r.spec.bytes(), r.newTarball)
		}
		if !strings.HasPrefix(r.newTarball, "linux-"+kversion+".tar") || !strings.HasSuffix(kversion, r.extraversion) {
			t.Fatalf("%+v", r)
		}
	})
}
