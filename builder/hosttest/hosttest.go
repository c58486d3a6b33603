// Package hosttest lets a test say what it needs of the host: a program, an
// engine, root, or time. It is the only way in which a test of this module may
// be skipped.
//
// Under plain `go test` what is missing fails the test, so that a test that
// cannot run never passes for one that did. Under `go test -short`, which
// `scripts/test fast` runs, the test is skipped instead. In both cases the
// message begins with "needs", says what is needed and, for a program, which
// Debian package has it; scripts/test fast collects these messages.
//
// A script of testdata/script says the same by
//
//	[short] [!exec:gpg] skip 'needs gpg (Debian package gpg)'
package hosttest

import (
	"os"
	"os/exec"
	"testing"
)

// packages names the Debian packages of the programs that the tests use.
// scripts/test installs all of them.
var packages = map[string]string{
	"as":                 "binutils",
	"bzip2":              "bzip2",
	"cpio":               "cpio",
	"createrepo_c":       "createrepo-c",
	"dnf":                "dnf",
	"docker-registry":    "docker-registry",
	"gcc":                "gcc and libc6-dev",
	"git":                "git",
	"gpg":                "gpg",
	"gpgconf":            "gnupg",
	"gpg-agent":          "gnupg",
	"nm":                 "binutils",
	"objcopy":            "binutils",
	"openssl":            "openssl",
	"patch":              "patch",
	"pkcs11-tool":        "opensc",
	"qemu-system-x86_64": "qemu-system-x86",
	"rpm":                "rpm",
	"rpm2cpio":           "rpm2cpio",
	"rpmbuild":           "rpm",
	"rpmkeys":            "rpm",
	"rpmsign":            "rpm",
	"rpmspec":            "rpm",
	"softhsm2-util":      "softhsm2",
}

// Program returns the path of a program of the host. Where the host does not
// have it, the test fails, or is skipped under -short.
func Program(tb testing.TB, name string) string {
	tb.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	need := "needs " + name
	if p := packages[name]; p != "" {
		need += " (Debian package " + p + ")"
	}
	missing(tb, need)
	return ""
}

// Root makes a test that only root can run fail for another user, or skips it
// under -short.
func Root(tb testing.TB) {
	tb.Helper()
	if os.Getuid() != 0 {
		missing(tb, "needs root")
	}
}

// Engine skips a test that needs a Docker engine under -short, even where an
// engine would answer: such tests take minutes. Without -short the test itself
// fails when it cannot connect.
func Engine(tb testing.TB) {
	tb.Helper()
	if testing.Short() {
		tb.Skip("needs a Docker engine")
	}
}

// Time skips a test that takes more than about five seconds under -short.
func Time(tb testing.TB) {
	tb.Helper()
	if testing.Short() {
		tb.Skip("needs time")
	}
}

func missing(tb testing.TB, need string) {
	tb.Helper()
	if testing.Short() {
		tb.Skip(need)
	} else {
		tb.Fatal(need)
	}
}
