package recipe

import (
	"io/fs"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Each of the functions whose name begins with "is" checks one form of text. It
// returns "" if s has that form; otherwise it returns what s must be, to be put
// behind "must be".

// images are the builder images that come with namibuild.
var images = []string{"centos6", "centos7", "debian12", "rocky8", "rocky9"}

// Images returns the names of the builder images, the values of `image:`.
func Images() []string { return slices.Clone(images) }

// reservedMacros are the macros that namibuild sets itself, from the plan.
var reservedMacros = []string{"_topdir", "_tmppath", "_smp_mflags", "_smp_build_ncpus", "_buildhost", "___build_cmd", "__arch_install_post"}

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
		"at most 64 lower-case letters, digits, dots and dashes, with a letter or digit first and last")
}

func isImage(s string) string {
	want := "one of " + strings.Join(images, ", ")
	if n := nearest(s, images); n != "" {
		want += "; did you mean " + n + "?"
	}
	return unless(slices.Contains(images, s), want)
}

// isTag accepts what rpm accepts in a Release behind a dot, but not "~" and "^",
// which rpm 4.8 does not know. The length leaves room for the rest of uname -r,
// which has at most 64 characters (include/linux/utsname.h).
func isTag(s string) string {
	return unless(tagForm.MatchString(s) && len(s) <= 32,
		`at most 32 characters: letters, digits, "_", "+", and single dots between them`)
}

func isURL(s string) string {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return "http://HOST/PATH or https://HOST/PATH"
	case strings.Trim(u.Path, "/") == "":
		return "a URL with a path behind the host"
	case u.User != nil:
		return "a URL without user and password, because a plan shows it"
	case u.Fragment != "":
		return "a URL without a #fragment, which a server never sees"
	}
	return unless(!strings.ContainsFunc(s, unicode.IsSpace), "a URL without blanks")
}

func isFile(s string) string {
	return unless(s != "" && !strings.ContainsFunc(s, unicode.IsControl) && !strings.HasSuffix(s, "/"), "the path of a file")
}

func isFolder(s string) string {
	return unless(fs.ValidPath(s) && s != ".", `the path of a folder beside the recipe, without "..", "./" and a slash at either end`)
}

func isTreeFile(s string) string {
	return unless(fs.ValidPath(s) && s != "." && !strings.ContainsFunc(s, unicode.IsControl),
		`a path inside the kernel tree, such as include/net/tcp.h, not absolute, without ".." and "./"`)
}

// isSourceFile accepts the name of a file of SOURCES, which has no folders.
func isSourceFile(s string) string {
	return unless(isTreeFile(s) == "" && !strings.Contains(s, "/"), "the name of a file in SOURCES, without a folder")
}

func isSHA256(s string) string {
	return unless(sha256Form.MatchString(s), "64 lower-case hexadecimal digits")
}

func isFingerprint(s string) string {
	return unless(fingerprintForm.MatchString(s), "the fingerprint of a key: 40 upper-case hexadecimal digits without blanks")
}

func isWord(s string) string {
	return unless(wordForm.MatchString(s), `letters, digits and "_", as in --with WORD`)
}

func isMacro(s string) string {
	if slices.Contains(reservedMacros, s) {
		return "another name: namibuild sets this macro itself"
	}
	return unless(macroForm.MatchString(s), `the name of a macro: at least 3 letters, digits and "_", not beginning with a digit`)
}

func isMacroValue(s string) string {
	return unless(strings.TrimSpace(s) != "" && !strings.ContainsFunc(s, unicode.IsControl),
		"one line of text; write %{nil} for an empty value")
}

func isPackage(s string) string {
	return unless(packageForm.MatchString(s),
		`the name of one package: letters, digits, ".", "_", "+" and "-", without spaces, and with a letter or digit first`)
}

// unless returns want, or "" if ok.
func unless(ok bool, want string) string {
	if ok {
		return ""
	}
	return want
}
