package recipe

import (
	"strings"
	"testing"
)

func TestForms(t *testing.T) {
	tests := []struct {
		what      string
		form      func(string) string
		good, bad []string
	}{
		{"name", isName, []string{"a", "demo", "centos6.5-timewait", strings.Repeat("a", 64)},
			[]string{"", "A", "a b", "a/b", "-a", ".a", "a.", "a-", "a_b", "ä", strings.Repeat("a", 65), "a\n"}},
		{"image", isImage, []string{"centos6", "debian12"}, []string{"", "centos8", "Centos6", "../centos6"}},
		{"tag", isTag, []string{"namibuild", "1", "a.b", "a_b+c", "431.10", strings.Repeat("a", 32)},
			[]string{"", "a-b", ".a", "a.", "a..b", "a b", "a~b", "a^b", "a/b", "%{x}", "a\n", strings.Repeat("a", 33)}},
		{"url", isURL, []string{"http://vault.centos.org/k.src.rpm", "https://h:8080/a/k.src.rpm?x=1", "http://[::1]/k.src.rpm"},
			[]string{"", "h/k.src.rpm", "ftp://h/k", "file:///k", "http:///k", "http://:80/k", "http://h", "http://h/", "http://u:p@h/k", "http://h/k#f", "http://h/a b", "http://h/%zz", "http://h/k\n"}},
		{"file", isFile, []string{"k.src.rpm", "../k.src.rpm", "/a/k.src.rpm"}, []string{"", "a/", "a\nb"}},
		{"folder", isFolder, []string{"demo", "a/b"}, []string{"", ".", "..", "../a", "/a", "a/", "./a", "a/../b"}},
		{"tree file", isTreeFile, []string{"Makefile", "include/net/tcp.h"}, []string{"", ".", "/Makefile", "../Makefile", "a/../../b", "a/..", "a//b", "a\nb"}},
		{"sha256", isSHA256, []string{digest}, []string{"", digest[1:], digest + "0", strings.ToUpper(digest), "sha256:" + digest, digest + "\n"}},
		{"fingerprint", isFingerprint, []string{"C1DAC52D1664E8A4386DBA430946FCA2C105B9DE"},
			[]string{"", "0946FCA2C105B9DE", "c1dac52d1664e8a4386dba430946fca2c105b9de", "C1DA C52D 1664 E8A4 386D BA43 0946 FCA2 C105 B9DE"}},
		{"word", isWord, []string{"firmware", "base_only2"}, []string{"", "a-b", "a b", "a;b", "--with"}},
		{"macro", isMacro, []string{"buildid", "_x1", "dist"}, []string{"", "ab", "1ab", "a-b", "a b", "_topdir", "_smp_mflags"}},
		{"macro's value", isMacroValue, []string{".el6", "%{nil}", "a b"}, []string{"", " ", "a\nb", "a\x1bb"}},
		{"package", isPackage, []string{"kernel", "kernel-devel", "gcc-c++", "a.b_c"}, []string{"", "-a", "a b", "a/b", "*"}},
		{"line", isLine, []string{"a", "ü"}, []string{"", "a\nb", "a\tb"}},
		{"something", isSomething, []string{"a", "\n"}, []string{""}},
		{"anything", isAnything, []string{"", "a\n"}, nil},
	}
	for _, test := range tests {
		for _, s := range test.good {
			if want := test.form(s); want != "" {
				t.Errorf("%s %q: must be %s, want no fault", test.what, s, want)
			}
		}
		for _, s := range test.bad {
			if test.form(s) == "" {
				t.Errorf("%s %q: no fault", test.what, s)
			}
		}
	}
}

func TestNearest(t *testing.T) {
	tests := []struct{ word, want string }{
		{"pakages", "packages"}, {"Packages", "packages"}, {"edit", "edits"}, {"rpm-build", "rpmbuild"}, {"tga", "tag"},
		{"iamge", "image"}, {"sourse", "source"}, {"x", ""}, {"", ""}, {"compression", ""}, {strings.Repeat("tag", 1e6), ""},
	}
	for _, test := range tests {
		if got := nearest(test.word, pageKeys); got != test.want {
			t.Errorf("%.20q: got %q, want %q", test.word, got, test.want)
		}
	}
}

func TestImagesIsACopy(t *testing.T) {
	Images()[0] = "other"
	if Images()[0] != "centos6" {
		t.Error("a caller has changed the images")
	}
}
