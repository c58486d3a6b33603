package compare

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/hosttest"
)

// spec makes a package with some of what a kernel's has: a program, a compressed
// file, a text of the build.
const spec = `%define debug_package %{nil}
%define __brp_strip /bin/true
%define _build_id_links none
Name: twin
Version: 1
Release: 1
Summary: A twin
License: none
%description
A twin.
%build
cat > x.c <<'X'
const char *made = MADE;
int main(void) { return 0; }
X
gcc -g -Wl,--build-id -DMADE='"'"${MADE:-Jan  8 2014 10:11:12}"'"' -o x $PWD/x.c
%install
mkdir -p %{buildroot}/opt/twin
cp x %{buildroot}/opt/twin/x
strip -g %{buildroot}/opt/twin/x
printf 'a manual, long enough to be worth packing\n' | gzip -9${GZIP_N-n} > %{buildroot}/opt/twin/x.8.gz
[ -z "$STAMP" ] || printf "$STAMP" | dd of=%{buildroot}/opt/twin/x.8.gz bs=1 seek=4 conv=notrunc status=none
printf '%s\n' "${BANNER:-#1 SMP (builder@namibuild)}" > %{buildroot}/opt/twin/banner
touch -d "@${MTIME:-1300000000}" %{buildroot}/opt/twin/banner
%files
/opt/twin
`

// rpmbuild makes the package in the folder in with this project's pins. change
// sets macros and, in upper case, environment variables. It returns the path of
// the package.
func rpmbuild(t *testing.T, in string, change map[string]string) string {
	t.Helper()
	top := t.TempDir()
	file := filepath.Join(top, "twin.spec")
	if err := os.WriteFile(file, []byte(spec), 0o666); err != nil {
		t.Fatal(err)
	}
	macros := map[string]string{"_buildhost": "namibuild", "use_source_date_epoch_as_buildtime": "1", "clamp_mtime_to_source_date_epoch": "1",
		"_topdir": top, "_builddir": in, "_binary_payload": "w6.gzdio"}
	hosttest.Program(t, "gcc") // the spec calls it
	cmd := exec.Command(hosttest.Program(t, "rpmbuild"), "-bb", "--nodeps", file)
	cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=1400000000", "LC_ALL=C", "TZ=UTC", "HOME="+top)
	for name, value := range change {
		if name == strings.ToUpper(name) {
			cmd.Env = append(cmd.Env, name+"="+value)
		} else {
			macros[name] = value
		}
	}
	for _, name := range slices.Sorted(maps.Keys(macros)) {
		cmd.Args = append(cmd.Args, "--define", name+" "+macros[name])
	}
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("rpmbuild: %v\n%s", err, text)
	}
	made, err := filepath.Glob(filepath.Join(top, "RPMS", "*", "*.rpm"))
	if err != nil || len(made) != 1 {
		t.Fatalf("rpmbuild made %q, %v", made, err)
	}
	return made[0]
}

// TestPlantedByRpmbuild checks that a package which rpm makes without one of the
// pins differs, and that the pin explains it.
func TestPlantedByRpmbuild(t *testing.T) {
	tests := map[string]struct {
		change map[string]string
		want   []string
	}{
		"nothing": {nil, []string{"identical"}},
		"host":    {map[string]string{"_buildhost": "f00ba4"}, explained("host: header tag BUILDHOST 1")},
		"epoch": {map[string]string{"SOURCE_DATE_EPOCH": "1400000001"}, explained("mtime: cpio mtime 3",
			"clock: header tag BUILDTIME 1", "mtime: header tag FILEMTIMES 3")},
		"clock": {map[string]string{"use_source_date_epoch_as_buildtime": "0"}, explained("clock: header tag BUILDTIME 1")},
		"mtime": {map[string]string{"MTIME": "1300000001"}, explained("mtime: cpio mtime 1", "mtime: header tag FILEMTIMES 1")},
		"gzip": {map[string]string{"STAMP": `\001\002\003\004`},
			explained("gzip: gzip stamp 1", "gzip: header tag CLASSDICT 1")},
		"banner's host":        {map[string]string{"BANNER": "#1 SMP (builder@f00ba4)"}, explained("host: content 1")},
		"banner's number":      {map[string]string{"BANNER": "#7 SMP (builder@namibuild)"}, explained("build-number: content 1")},
		"date in a program":    {map[string]string{"MADE": "Jan  9 2014 10:11:12"}, explained("clock: section .rodata 1")},
		"compressor's level":   {map[string]string{"_binary_payload": "w9.gzdio"}, explained("macros: header tag PAYLOADFLAGS 1")},
		"compressor's threads": {map[string]string{"_binary_payload": "w6T4.gzdio"}, explained("jobs: header tag PAYLOADFLAGS 1")},
		"place of the build":   {map[string]string{"_builddir": t.TempDir()}, explained("build-id: section .note.gnu.build-id 1")},
		"flags":                {map[string]string{"optflags": "-O3"}, explained("macros: header tag OPTFLAGS 1")},
		"a text":               {map[string]string{"BANNER": "changed"}, []string{"unexplained", "?: content 1"}},
	}
	in := t.TempDir()
	first := rpmbuild(t, in, nil)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			found, err := Files(first, rpmbuild(t, in, test.change))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, summary(found)); diff != "" {
				t.Errorf("%s\n%+v", diff, found.Findings)
			}
		})
	}
}
