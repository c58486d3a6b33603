package sign_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"namibuild/builder/hosttest"
	"namibuild/builder/sign"
)

// tool runs a program of the host and returns what it prints.
func tool(t *testing.T, env []string, name string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command(hosttest.Program(t, name), args...)
	cmd.Env = append(append(os.Environ(), "LC_ALL=C", "TZ=UTC"), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// must runs a program that must succeed.
func must(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	out, err := tool(t, env, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

// keyring makes an rpm database that holds a key and returns rpm's arguments for it.
func keyring(t *testing.T, k sign.Key) []string {
	t.Helper()
	dir := t.TempDir()
	public, err := k.Public()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "key.asc")
	if err := os.WriteFile(file, public, 0o666); err != nil {
		t.Fatal(err)
	}
	db := []string{"--define", "_dbpath " + filepath.Join(dir, "db")}
	must(t, nil, "rpmkeys", append(db, "--import", file)...)
	return db
}

// Modes of rpm. rpm6 makes an older rpm do what rpm 6 does by default: it wants both
// signatures and digests, and MD5 and SHA-1 do not count (RPMVSF_NOMD5 and
// NOSHA1HEADER, 0x20100).
var (
	plain  = []string{}
	strict = []string{"--define", "_pkgverify_level all"}
	rpm6   = []string{"--define", "_pkgverify_level all", "--define", "_pkgverify_flags 0x20100"}
)

// TestRPMAccepts checks that real rpm accepts what we sign, also in its strict
// modes, and that it sees every signature.
func TestRPMAccepts(t *testing.T) {
	key, _ := made()
	db := keyring(t, key)
	all := packages()
	tests := []struct {
		name, kind string
		o          sign.Options
		mode       []string
		want       string // "" if rpm must refuse it
	}{
		{"today's", "modern", sign.Options{}, plain, "digests signatures OK"},
		{"today's, strict", "modern", sign.Options{}, strict, "digests signatures OK"},
		{"today's, rpm 6", "modern", sign.Options{}, rpm6, "digests signatures OK"},
		{"today's, header only", "modern", sign.Options{HeaderOnly: true}, strict, "digests signatures OK"},
		{"EL6's", "legacy", sign.Options{}, plain, "digests signatures OK"},
		{"EL6's, strict", "legacy", sign.Options{}, strict, "digests signatures OK"},
		{"EL6's, rpm 6", "legacy", sign.Options{}, rpm6, ""},
		{"EL6's and digests, rpm 6", "legacy", sign.Options{PayloadDigests: true}, rpm6, "digests signatures OK"},
		{"EL6's and digests, header only", "legacy", sign.Options{PayloadDigests: true, HeaderOnly: true}, rpm6, "digests signatures OK"},
		{"large", "long", sign.Options{}, strict, "digests signatures OK"},
		{"without files", "bare", sign.Options{}, strict, "digests signatures OK"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := signed(t, set(t, all[test.kind]), key, test.o)
			file := filepath.Join(s.Dir, s.RPMs[0].File)
			out, err := tool(t, nil, "rpmkeys", append(append(db, test.mode...), "-K", file)...)
			if (err == nil) != (test.want != "") || !strings.HasSuffix(strings.TrimSpace(out), test.want) {
				t.Errorf("rpm says %v, %s", err, out)
			}
			if test.want == "" {
				return
			}
			told := must(t, nil, "rpmkeys", append(append(db, test.mode...), "-Kv", file)...)
			id := strings.ToLower(key.Fingerprint[32:])
			want := []string{"Header V4 RSA/SHA256 Signature, key ID " + id + ": OK"}
			if !test.o.HeaderOnly {
				want = append(want, "\n    V4 RSA/SHA256 Signature, key ID "+id+": OK")
			}
			for _, w := range want {
				if !strings.Contains(told, w) {
					t.Errorf("rpm does not say %q:\n%s", w, told)
				}
			}
		})
	}
}

// TestRPMRefuses checks that rpm refuses a changed package, and one by a key that it
// does not have.
func TestRPMRefuses(t *testing.T) {
	key, _ := made()
	s := signed(t, set(t, packages()["legacy"]), key, sign.Options{})
	file := filepath.Join(s.Dir, s.RPMs[0].File)
	if out, err := tool(t, nil, "rpmkeys", "--define", "_dbpath "+t.TempDir(), "-K", file); err == nil || !strings.Contains(out, "SIGNATURES NOT OK") {
		t.Errorf("without the key rpm says %v, %s", err, out)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-5] ^= 1
	if err := os.WriteFile(file, data, 0o666); err != nil {
		t.Fatal(err)
	}
	if out, err := tool(t, nil, "rpmkeys", append(keyring(t, key), "-K", file)...); err == nil {
		t.Errorf("of a changed package rpm says %s", out)
	}
}
