package engine_test

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/pkg/stdcopy"
	"github.com/google/go-cmp/cmp"

	"namibuild/builder/engine"
)

func TestEntropy(t *testing.T) {
	e, _ := connect(t)
	s := probeSpec(t, e, "random")
	s.Entropy = true
	got, c := run(t, e, s)
	want, random := engine.Entropy{Source: engine.Rngd}, "random 1:8\n"
	if c.Entropy().Source != engine.Rngd { // the engine does not permit the sidecar
		t.Logf("no sidecar: %s", c.Entropy().Reason)
		want, random = engine.Entropy{Source: engine.Urandom, Reason: c.Entropy().Reason}, "random 1:9\n"
	}
	if c.Entropy() != want || got.log != random || got.exit.Code != 0 || got.err != nil {
		t.Fatalf("got %+v, %+v", c.Entropy(), got)
	}
}

// TestEntropyOfTheKernel checks that no sidecar is started where /dev/random does
// not block, and that one is where it may.
func TestEntropyOfTheKernel(t *testing.T) {
	e, _ := connect(t)
	for kernel, want := range map[string]engine.Entropy{
		"6.1.0-18-amd64":           {Source: engine.Kernel, Reason: "Linux 6.1.0-18-amd64 does not block on /dev/random"},
		"5.5.19":                   {Source: engine.Rngd},
		"4.18.0-553.el8_10.x86_64": {Source: engine.Rngd},
	} {
		s := probeSpec(t, e, "random")
		s.Entropy = true
		other := engine.Unforced(e, kernel)
		c, err := other.Create(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		names := left(t, engine.Label(e))
		var log bytes.Buffer
		exit, err := c.Run(t.Context(), &log)
		mustRemove(t, c)
		containers := 1
		if want.Source == engine.Rngd {
			containers = 2
		}
		if c.Entropy() != want || log.String() != "random 1:8\n" || exit.Code != 0 || err != nil || len(names) != containers+1 {
			t.Errorf("%s: got %+v, %s%+v, %v, %q", kernel, c.Entropy(), log.String(), exit, err, names)
		}
	}
}

// TestEntropyFallback checks that /dev/urandom is used if rngd.sh is missing or
// fails.
func TestEntropyFallback(t *testing.T) {
	failing := files(strings.Replace(testDockerfile, "COPY probe /usr/lib/namibuild/rngd.sh", "COPY probe /usr/lib/namibuild/rngd.sh/no", 1))
	e, _ := connect(t)
	for name, context := range map[string]fstest.MapFS{"missing": files(sidecarless), "folder": failing} {
		s := specOf(t, e, engine.ImageSpec{Name: name, Files: context, Dockerfile: "Dockerfile"}, "random")
		s.Entropy = true
		got, c := run(t, e, s)
		t.Logf("%s: %s", name, c.Entropy().Reason)
		if c.Entropy().Source != engine.Urandom || c.Entropy().Reason == "" || got.log != "random 1:9\n" {
			t.Fatalf("%s: got %+v, %+v", name, c.Entropy(), got)
		}
	}
}

// TestProbeNeedsPrivilege checks that the sidecar's program fails without its
// capability, so that its success in TestEntropy means something.
func TestProbeNeedsPrivilege(t *testing.T) {
	e, _ := connect(t)
	s := probeSpec(t, e)
	s.Command, s.User = []string{"/usr/lib/namibuild/rngd.sh"}, "0:0"
	got, _ := run(t, e, s)
	if want := (outcome{exit: engine.Exit{Code: 1}, log: "RNDADDENTROPY: operation not permitted\n"}); got != want {
		t.Fatalf("got %+v, want %+v", got, want)
	}
}

const sidecarReport = `RNDADDENTROPY: permitted
mount: operation not permitted
umount: operation not permitted
fsopen: operation not permitted
move_mount: operation not permitted
pivot_root: operation not permitted
unshare: operation not permitted
setns: operation not permitted
clone: operation not permitted
bpf: operation not permitted
keyctl: operation not permitted
ptrace: operation not permitted
perf_event_open: operation not permitted
init_module: operation not permitted
finit_module: operation not permitted
kexec_load: operation not permitted
quotactl: operation not permitted
sethostname: operation not permitted
madvise: operation not permitted
ioctl: operation not permitted
clone3: function not implemented
CapBnd 0000000000200000 NoNewPrivs 1
write / read-only file system
`

// TestSidecar checks what the sidecar may do with its capability: add entropy, and
// nothing else.
func TestSidecar(t *testing.T) {
	e, _ := connect(t)
	s := probeSpec(t, e, "wait")
	s.Entropy = true
	c, err := e.Create(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	defer mustRemove(t, c)
	if got := engine.HelperOutput(c); got != sidecarReport || c.Entropy().Source != engine.Rngd {
		t.Errorf("%+v: -want +got\n%s", c.Entropy(), cmp.Diff(sidecarReport, got))
	}
	for _, name := range sidecars(t, e) {
		found, err := docker(t).ContainerInspect(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		h := found.HostConfig
		if h.NetworkMode != "none" || !h.ReadonlyRootfs || h.Memory != 64<<20 || h.PidsLimit == nil || *h.PidsLimit != 32 {
			t.Errorf("got network %s, read-only %v, %d bytes, pids %v", h.NetworkMode, h.ReadonlyRootfs, h.Memory, h.PidsLimit)
		}
	}
}

// sidecars returns the IDs of the running sidecars of an engine.
func sidecars(t *testing.T, e *engine.Engine) (ids []string) {
	t.Helper()
	with := filters.NewArgs(filters.Arg("label", engine.Label(e)), filters.Arg("status", "running"))
	all, err := docker(t).ContainerList(t.Context(), container.ListOptions{Filters: with})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		ids = append(ids, c.ID)
	}
	if len(ids) != 1 {
		t.Fatalf("got the running containers %q, want one", ids)
	}
	return ids
}

// TestSidecarProfileDenies checks that it is the sidecar's profile that denies
// these calls: with Docker's own profile the capability permits them.
func TestSidecarProfileDenies(t *testing.T) {
	e, _ := connect(t)
	s := probeSpec(t, e)
	d := docker(t)
	made, err := d.ContainerCreate(t.Context(),
		&container.Config{Image: s.Image, Entrypoint: []string{"/usr/lib/namibuild/rngd.sh"}, User: "0:0"},
		&container.HostConfig{CapDrop: []string{"ALL"}, CapAdd: []string{"SYS_ADMIN"}, NetworkMode: "none"}, nil, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := d.ContainerRemove(t.Context(), made.ID, container.RemoveOptions{Force: true}); err != nil {
			t.Error(err)
		}
	}()
	if err := d.ContainerStart(t.Context(), made.ID, container.StartOptions{}); err != nil {
		t.Fatal(err)
	}
	logs, err := d.ContainerLogs(t.Context(), made.ID, container.LogsOptions{ShowStdout: true, ShowStderr: true, Follow: true})
	if err != nil {
		t.Fatal(err)
	}
	defer logs.Close()
	var got bytes.Buffer
	if _, err := stdcopy.StdCopy(&got, io.Discard, logs); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"mount", "umount", "fsopen", "move_mount", "unshare", "setns", "clone", "bpf", "ptrace", "madvise", "ioctl"} {
		if text := got.String(); !strings.Contains(text, "\n"+name+": ") || strings.Contains(text, "\n"+name+": operation not permitted\n") {
			t.Errorf("%s is denied without the sidecar's profile, too:\n%s", name, text)
		}
	}
}
