package recipe

import (
	"io/fs"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// The forms of a recipe's texts. Each function says what was expected of s, or
// nothing when s is that.

// images are the builder images that namibuild ships.
var images = []string{"centos6", "centos7", "debian12", "rocky8", "rocky9"}

// Images are the names that `image:` takes.
func Images() []string { return slices.Clone(images) }

// owned are the macros that namibuild sets itself, from the plan.
var owned = []string{"_topdir", "_tmppath", "_smp_mflags", "_smp_build_ncpus", "_buildhost", "___build_cmd", "__arch_install_post"}

var (
	nameForm        = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,62}[a-z0-9])?$`)
	tagForm         = regexp.MustCompile(`^[A-Za-z0-9_+]+(\.[A-Za-z0-9_+]+)*$`)
	sha256Form      = regexp.MustCompile(`^[0-9a-f]{64}$`)
	fingerprintForm = regexp.MustCompile(`^[0-9A-F]{40}$`)
	wordForm        = regexp.MustCompile(`^[A-Za-z0-9_]+$`)
	macroForm       = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{2,}$`)
	packageForm     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]*$`)
)

func isAnything(string) string { return "" }

func isSomething(s string) string { return unless(s != "", "at least one character") }

func isLine(s string) string {
	return unless(s != "" && !strings.ContainsFunc(s, unicode.IsControl), "one line of text")
}

func isName(s string) string {
	return unless(nameForm.MatchString(s),
		"at most 64 lower-case letters, digits, dots and dashes, a letter or digit first and last")
}

func isImage(s string) string {
	want := "one of " + strings.Join(images, ", ")
	if n := nearest(s, images); n != "" {
		want += "; did you mean " + n + "?"
	}
	return unless(slices.Contains(images, s), want)
}

// isTag is what rpm takes in a Release behind a dot, without "~" and "^", which
// rpm 4.8 does not know, and short enough for uname -r, which holds 64 characters
// (include/linux/utsname.h).
func isTag(s string) string {
	return unless(tagForm.MatchString(s) && len(s) <= 32,
		`at most 32 letters, digits, "_", "+" and single dots between them, as a release may have them`)
}

func isURL(s string) string {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return "http://HOST/PATH or https://HOST/PATH"
	case strings.Trim(u.Path, "/") == "":
		return "a path behind the host, that of an SRPM"
	case u.User != nil:
		return "no user and no password in it, a plan shows the url"
	case u.Fragment != "":
		return "no #fragment, a server never sees it"
	}
	return unless(!strings.ContainsFunc(s, unicode.IsSpace), "no blank in it")
}

func isFile(s string) string {
	return unless(s != "" && !strings.ContainsFunc(s, unicode.IsControl) && !strings.HasSuffix(s, "/"), "the path of an SRPM")
}

func isFolder(s string) string {
	return unless(fs.ValidPath(s) && s != ".", `a folder beside the recipe, without "..", "./" and a slash at an end`)
}

func isTreeFile(s string) string {
	return unless(fs.ValidPath(s) && s != "." && !strings.ContainsFunc(s, unicode.IsControl),
		`a path inside the kernel tree as include/net/tcp.h, not absolute, without ".." and "./"`)
}

// isSourceFile is a file of SOURCES, which has no folders.
func isSourceFile(s string) string {
	return unless(isTreeFile(s) == "" && !strings.Contains(s, "/"), "the name of a file of SOURCES, without a folder")
}

func isSHA256(s string) string {
	return unless(sha256Form.MatchString(s), "64 lower-case hexadecimal digits and nothing else")
}

func isFingerprint(s string) string {
	return unless(fingerprintForm.MatchString(s), "a key's fingerprint: 40 upper-case hexadecimal digits without blanks")
}

func isWord(s string) string {
	return unless(wordForm.MatchString(s), `letters, digits and "_", as in --with WORD`)
}

func isMacro(s string) string {
	if slices.Contains(owned, s) {
		return "another name, namibuild sets this macro itself"
	}
	return unless(macroForm.MatchString(s), `a macro's name: at least 3 letters, digits and "_", no digit first`)
}

func isMacroValue(s string) string {
	return unless(strings.TrimSpace(s) != "" && !strings.ContainsFunc(s, unicode.IsControl),
		"one line of text; write %{nil} for nothing")
}

func isPackage(s string) string { return unless(packageForm.MatchString(s), "the name of a package") }

// unless is want, or nothing when all is well.
func unless(well bool, want string) string {
	if well {
		return ""
	}
	return want
}
