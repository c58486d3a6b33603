package buildroot

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"namibuild/builder/hosttest"
)

// TestListOfCentOS runs the image's script on a root that the host's rpm has filled:
// with two genuine packages whose files yum has kept, and one whose file it has not.
func TestListOfCentOS(t *testing.T) {
	root, cache := t.TempDir(), t.TempDir()
	release := genuine(t, "centos-release-6-0.el6.centos.5.x86_64.rpm")
	write(t, filepath.Join(root, "etc/centos-release"), "CentOS release 6.5 (Final)\n")
	for _, file := range []string{release, genuine(t, "epel-release-7-5.noarch.rpm")} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(cache, "os/packages", filepath.Base(file)), string(data))
	}
	run(t, "rpm", "--root", root, "--initdb")
	run(t, "rpm", "--root", root, "--import", genuine(t, "RPM-GPG-KEY-CentOS-6"))
	for _, file := range []string{release, genuine(t, "epel-release-7-5.noarch.rpm"), genuine(t, "centos-release-5-0.0.el5.centos.2.x86_64.rpm")} {
		run(t, "rpm", "--root", root, "-i", "--force", "--justdb", "--nodeps", "--nosignature", "--noscripts", file)
	}
	got := run(t, "bash", "../../images/centos6/buildroot.sh", root, cache)
	if want := string(list(t, "centos6")); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func genuine(t *testing.T, name string) string {
	t.Helper()
	dir := strings.TrimSpace(run(t, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/cavaliergopher/rpm"))
	return filepath.Join(dir, "testdata", name)
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	var stderr strings.Builder
	cmd := exec.Command(hosttest.Program(t, name), args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, stderr.String())
	}
	return string(out)
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
}
