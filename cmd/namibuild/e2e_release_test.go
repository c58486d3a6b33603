//go:build e2e

package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	memory "github.com/google/go-containerregistry/pkg/registry"
	"go.yaml.in/yaml/v4"

	"namibuild/builder/repodata"
	"namibuild/builder/rpm/rpmtest"
)

// must runs the command and fails the test if the command fails.
func must(t *testing.T, args ...string) string {
	t.Helper()
	code, stdout, stderr := runCommand(t, args...)
	if code != 0 {
		t.Fatalf("%s: exit %d\n%s%s", strings.Join(args, " "), code, stdout, stderr)
	}
	return stdout
}

// checkRelease makes a release of a proven set twice, with equal bytes, and checks it with
// real rpm, createrepo_c, dnf and a registry.
func checkRelease(t *testing.T, set string) {
	t.Helper()
	top := t.TempDir()
	key, one, two := filepath.Join(top, "kernels"), filepath.Join(top, "one"), filepath.Join(top, "two")
	server := httptest.NewServer(http.FileServer(http.Dir(top)))
	defer server.Close()
	must(t, "key", "new", "Kernels <kernels@example.org>", "-o", key, "--no-passphrase")
	for _, out := range []string{one, two} {
		must(t, "release", set, "--key", key+".key", "--unlocked", "--url", server.URL+"/one", "-o", out)
	}
	output(t, "diff", "-r", one, two)
	must(t, "verify", one, "--key", key+".asc")
	rpms, err := filepath.Glob(filepath.Join(one, "RPMS", "*.rpm"))
	if err != nil || len(rpms) != 4 {
		t.Fatalf("%v, %v", rpms, err)
	}
	db := []string{"--define", "_dbpath " + filepath.Join(top, "db"), "--define", "_pkgverify_level all"}
	output(t, "rpmkeys", append(db, "--import", key+".asc")...)
	for _, p := range rpms {
		if got := output(t, "rpmkeys", append(db, "-K", p)...); !strings.HasSuffix(got, ": digests signatures OK\n") {
			t.Error(got)
		}
	}
	if err := os.Mkdir(filepath.Join(top, "theirs"), 0o777); err != nil {
		t.Fatal(err)
	}
	output(t, "createrepo_c", "--quiet", "--outputdir", filepath.Join(top, "theirs"), one)
	if ours, theirs := listed(t, one), listed(t, filepath.Join(top, "theirs")); !slices.Equal(ours, theirs) || len(ours) != 4 {
		t.Errorf("our list: %v\ncreaterepo_c's: %v", ours, theirs)
	}
	install(t, filepath.Join(one, "demo.repo"))
	registry := httptest.NewServer(memory.New(memory.Logger(log.New(io.Discard, "", 0)), memory.WithReferrersSupport(true)))
	defer registry.Close()
	reference := strings.TrimPrefix(registry.URL, "http://") + "/kernels/demo:v1"
	must(t, "push", one, reference)
	must(t, "pull", reference, "-o", filepath.Join(top, "pulled"), "--key", key+".asc")
	output(t, "diff", "-r", one, filepath.Join(top, "pulled"))
}

// listed returns the digests of the packages that a repository lists.
func listed(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "repodata", "*primary.xml.gz"))
	if err != nil || len(names) != 1 {
		t.Fatalf("%v, %v", names, err)
	}
	data, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	page, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	all := regexp.MustCompile(`<checksum type="sha256" pkgid="YES">[0-9a-f]{64}`).FindAllString(string(page), -1)
	slices.Sort(all)
	return all
}

// install lets dnf install the kernel with the release's own .repo file, which makes it
// check index and packages, into a root that has what the kernel's packages require.
func install(t *testing.T, repoFile string) {
	t.Helper()
	top := t.TempDir()
	page, err := os.ReadFile(repoFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"repos", "base", "log"} {
		if err := os.Mkdir(filepath.Join(top, dir), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(top, "base", "base-1-1.noarch.rpm"), rpmtest.Build(rpmtest.Package{Name: "base", Version: "1", Release: "1",
		Files: []rpmtest.File{{Path: "/bin/sh", Content: "sh"}, {Path: "/sbin/depmod", Content: "depmod"}}}))
	if _, err := repodata.Write(filepath.Join(top, "base"), repodata.Options{}); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(top, "repos", "demo.repo"), page)
	write(t, filepath.Join(top, "repos", "base.repo"), []byte("[base]\nname=base\nbaseurl=file://"+top+"/base\ngpgcheck=0\n"))
	write(t, filepath.Join(top, "log", "hawkey.log"), nil)
	root := filepath.Join(top, "root")
	output(t, "dnf", "-y", "--installroot", root, "--releasever", "12", "--forcearch", "x86_64", "--noplugins",
		"--setopt=reposdir="+filepath.Join(top, "repos"), "--setopt=cachedir="+filepath.Join(top, "cache"),
		"--setopt=logdir="+filepath.Join(top, "log"), "--setopt=persistdir="+filepath.Join(top, "state"), "--setopt=tsflags=noscripts",
		"install", "kernel", "kernel-devel")
	got := output(t, "rpm", "--root", root, "-qa", "--qf", "%{name} %{RSAHEADER:pgpsig}\n", "kernel*")
	if strings.Count(got, "RSA/SHA256, ") != 3 { // kernel-firmware is required
		t.Errorf("installed: %s", got)
	}
	if images, err := filepath.Glob(filepath.Join(root, "boot", "vmlinuz-*")); err != nil || len(images) != 1 {
		t.Errorf("in /boot: %v, %v", images, err)
	}
}

// job is the job of a pipeline: its script and the shell that runs it.
type job struct{ shell, script string }

// githubJob reads the example for GitHub, gitlabJob that for GitLab.
func githubJob(t *testing.T) job {
	var page struct {
		Jobs struct {
			Release struct {
				Steps []struct{ Run string }
			}
		}
	}
	readExample(t, "github-actions.yml", &page)
	var script []string
	for _, s := range page.Jobs.Release.Steps {
		script = append(script, s.Run)
	}
	return job{"bash", strings.Join(script, "\n")}
}

func gitlabJob(t *testing.T) job {
	var page struct{ Release struct{ Script []string } }
	readExample(t, "gitlab-ci.yml", &page)
	return job{"sh", strings.Join(page.Release.Script, "\n")}
}

func readExample(t *testing.T, name string, page any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../examples", name))
	if err == nil {
		err = yaml.Unmarshal(data, page)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestEndToEndExamples runs the example jobs on the tiny kernel. That cannot be booted, so
// the test adds --unproven. docker login is only recorded, since the registry has no
// accounts.
func TestEndToEndExamples(t *testing.T) {
	begin(t)
	registry := httptest.NewServer(memory.New(memory.Logger(log.New(io.Discard, "", 0)), memory.WithReferrersSupport(true)))
	defer registry.Close()
	host := strings.TrimPrefix(registry.URL, "http://")
	t.Setenv("NAMIBUILD_PASSPHRASE", "Rapunzel-lass-dein-Haar-herunter")
	repository, secretFile := pipelineRepository(t)
	secret, err := os.ReadFile(secretFile)
	if err != nil {
		t.Fatal(err)
	}
	tools := pipelineTools(t)
	for name, test := range map[string]struct {
		job
		env []string
	}{
		"github": {githubJob(t), []string{"SIGNING_KEY=" + strings.TrimSpace(string(secret)), "REGISTRY_USER=robot", "REGISTRY_PASSWORD=beep"}},
		"gitlab": {gitlabJob(t), []string{"SIGNING_KEY=" + secretFile, "CI_REGISTRY=" + host, "CI_REGISTRY_USER=robot", "CI_REGISTRY_PASSWORD=beep"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir, image := filepath.Join(t.TempDir(), "checkout"), host+"/kernels/"+name+":v1"
			output(t, "cp", "-r", repository, dir)
			test.run(t, dir, append(test.env, "IMAGE="+image, "PATH="+tools+":"+os.Getenv("PATH")))
			if got, err := os.ReadFile(filepath.Join(dir, "login")); err != nil || string(got) != host+" beep\n" {
				t.Errorf("docker login got %q, %v", got, err)
			}
			if info, err := os.Stat(filepath.Join(dir, "signing.key")); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("the key's file: %v, %v", info, err)
			}
			must(t, "pull", image, "-o", filepath.Join(dir, "pulled"), "--key", filepath.Join(repository, "signing.asc"))
			output(t, "diff", "-r", filepath.Join(dir, "release"), filepath.Join(dir, "pulled"))
		})
	}
	nothingLeft(t)
}

// run runs the job in a checkout, without secrets in its log.
func (j job) run(t *testing.T, dir string, env []string) {
	t.Helper()
	cmd := exec.Command(j.shell, "-e", "-c", j.script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, s := range []string{"Rapunzel", "PRIVATE KEY", "beep"} {
		if strings.Contains(string(out), s) {
			t.Errorf("the job's log holds %q", s)
		}
	}
}

// pipelineRepository makes a repository with a recipe, its lock and a public key. The
// secret key is in a file elsewhere.
func pipelineRepository(t *testing.T) (dir, secretFile string) {
	t.Helper()
	dir = filepath.Dir(newTiny().write(t))
	if err := os.Rename(filepath.Join(dir, "tiny.yaml"), filepath.Join(dir, "kernel.yaml")); err != nil {
		t.Fatal(err)
	}
	must(t, "lock", filepath.Join(dir, "kernel.yaml"))
	must(t, "key", "new", "Pipeline <ci@example.org>", "-o", filepath.Join(dir, "signing"))
	secretFile = filepath.Join(t.TempDir(), "secret")
	if err := os.Rename(filepath.Join(dir, "signing.key"), secretFile); err != nil {
		t.Fatal(err)
	}
	return dir, secretFile
}

// pipelineTools makes a folder with the programs that the jobs call: the command, and a
// docker that only records a login.
func pipelineTools(t *testing.T) string {
	t.Helper()
	tools := t.TempDir()
	write(t, filepath.Join(tools, "namibuild"), []byte("#!/bin/sh\n[ \"$1\" != release ] || set -- \"$@\" --unproven\nexec "+binary+" \"$@\"\n"))
	write(t, filepath.Join(tools, "docker"), []byte("#!/bin/sh\n[ \"$1 $3 $4 $5\" = 'login -u robot --password-stdin' ] && echo \"$2 $(cat)\" >login\n"))
	output(t, "chmod", "+x", filepath.Join(tools, "namibuild"), filepath.Join(tools, "docker"))
	return tools
}
