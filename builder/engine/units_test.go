package engine

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/docker/docker/api/types/container"
)

func TestKey(t *testing.T) {
	spec := func(change func(*ImageSpec, fstest.MapFS)) ImageSpec {
		files := fstest.MapFS{
			"Dockerfile": {Data: []byte("FROM scratch\n")},
			"a/x":        {Data: []byte("x"), Mode: 0o644},
			"b/y":        {Data: []byte("y"), Mode: 0o755},
		}
		s := ImageSpec{Name: "n", Files: files, Dockerfile: "Dockerfile", Paths: []string{"a"}, Args: map[string]string{"A": "1"}}
		change(&s, files)
		return s
	}
	key := func(base string, change func(*ImageSpec, fstest.MapFS)) string {
		k, err := spec(change).Key(base)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	same := func(*ImageSpec, fstest.MapFS) {}
	first := key("base", same)
	cases := []struct {
		name   string
		base   string
		change func(*ImageSpec, fstest.MapFS)
		equal  bool
	}{
		{"nothing", "base", same, true},
		{"base", "other", same, false},
		{"content", "base", func(_ *ImageSpec, f fstest.MapFS) { f["a/x"].Data = []byte("z") }, false},
		{"Dockerfile", "base", func(_ *ImageSpec, f fstest.MapFS) { f["Dockerfile"].Data = []byte("FROM x\n") }, false},
		{"executable bit", "base", func(_ *ImageSpec, f fstest.MapFS) { f["a/x"].Mode = 0o700 }, false},
		{"umask", "base", func(_ *ImageSpec, f fstest.MapFS) { f["a/x"].Mode = 0o600 }, true},
		{"time", "base", func(_ *ImageSpec, f fstest.MapFS) { f["a/x"].ModTime = time.Unix(1, 0) }, true},
		{"another file", "base", func(_ *ImageSpec, f fstest.MapFS) { f["a/z"] = &fstest.MapFile{} }, false},
		{"a file that is not used", "base", func(_ *ImageSpec, f fstest.MapFS) { f["b/y"].Data = nil }, true},
		{"argument", "base", func(s *ImageSpec, _ fstest.MapFS) { s.Args = map[string]string{"A": "2"} }, false},
		{"argument's name", "base", func(s *ImageSpec, _ fstest.MapFS) { s.Args = map[string]string{"A1": ""} }, false},
	}
	for _, c := range cases {
		if got := key(c.base, c.change); (got == first) != c.equal {
			t.Errorf("%s: equal is %v, want %v", c.name, !c.equal, c.equal)
		}
	}
}

func TestOwnerLabel(t *testing.T) {
	me, err := thisProcess()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := parseOwner(me.String()); got != me || err != nil {
		t.Fatalf("got %+v, %v, want %+v", got, err, me)
	}
	for _, bad := range []string{"", "a/b/c", "h/b/x/1/s", "h/b/0/1/s", "h/b/-1/1/s", "h/b/1/x/s", "h/b/1/2/s/t"} {
		if got, err := parseOwner(bad); err == nil {
			t.Errorf("%q: got %+v", bad, got)
		}
	}
}

func TestDriverState(t *testing.T) {
	me, err := thisProcess()
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name   string
		change func(*owner)
		want   driverState
	}{
		{"me", func(*owner) {}, alive},
		{"another host", func(o *owner) { o.host = "x" }, unknown},
		{"before a reboot", func(o *owner) { o.boot = "x" }, rebooted},
		{"another namespace", func(o *owner) { o.space = "x" }, unknown},
		{"a reused PID", func(o *owner) { o.start++ }, dead},
		{"no such PID", func(o *owner) { o.pid = 1 << 30 }, dead},
	}
	for _, c := range cases {
		other := me
		c.change(&other)
		if got := me.stateOf(other); got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
	}
}

func TestIdle(t *testing.T) {
	now := time.Date(2014, 1, 20, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) string { return now.Add(-d).Format(time.RFC3339Nano) }
	cases := []struct {
		name    string
		state   container.State
		created string
		want    bool
	}{
		{"running", container.State{Running: true, Status: "running"}, ago(99 * time.Hour), false},
		{"just ended", container.State{Status: "exited", FinishedAt: ago(time.Minute)}, ago(99 * time.Hour), false},
		{"ended", container.State{Status: "exited", FinishedAt: ago(61 * time.Minute)}, ago(99 * time.Hour), true},
		{"uploading", container.State{Status: "created", FinishedAt: "0001-01-01T00:00:00Z"}, ago(2 * time.Hour), false},
		{"never ran", container.State{Status: "created", FinishedAt: "0001-01-01T00:00:00Z"}, ago(25 * time.Hour), true},
		{"nonsense", container.State{Status: "exited", FinishedAt: "x"}, "x", false},
	}
	for _, c := range cases {
		if got := idle(&c.state, c.created, now); got != c.want {
			t.Errorf("%s: got %v", c.name, got)
		}
	}
}

func TestLocate(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cases := []struct {
		name string
		env  map[string]string
		want endpoint
		bad  bool
	}{
		{name: "nothing", want: endpoint{host: "unix:///var/run/docker.sock"}},
		{name: "host", env: map[string]string{"DOCKER_HOST": "tcp://a:1", "DOCKER_CONTEXT": "far"}, want: endpoint{host: "tcp://a:1"}},
		{name: "tls", env: map[string]string{"DOCKER_HOST": "tcp://a:1", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/c"}, want: endpoint{"tcp://a:1", "/c"}},
		{name: "context", env: map[string]string{"DOCKER_CONTEXT": "far"}, want: endpoint{host: "ssh://far"}},
		{name: "default context", env: map[string]string{"DOCKER_CONTEXT": "default"}, want: endpoint{host: "unix:///var/run/docker.sock"}},
		{name: "no such context", env: map[string]string{"DOCKER_CONTEXT": "near"}, bad: true},
	}
	// the name of the folder is the SHA-256 of "far"
	write("contexts/meta/512eea46ceb3921dff4363c7069d89d4964d1d9fccaa0f411851a7aa60a5c868/meta.json", `{"Name":"far","Endpoints":{"docker":{"Host":"ssh://far"}}}`)
	check := func(t *testing.T) {
		for _, c := range cases {
			env := map[string]string{"DOCKER_CONFIG": dir}
			for k, v := range c.env {
				env[k] = v
			}
			got, err := locate(func(k string) string { return env[k] })
			if got != c.want || (err != nil) != c.bad {
				t.Errorf("%s: got %+v, %v", c.name, got, err)
			}
		}
	}
	check(t)
	write("config.json", `{"currentContext":"far"}`)
	cases[0].want = endpoint{host: "ssh://far"}
	check(t)
	write("config.json", `{`)
	cases[0] = cases[5]
	cases[0].env = nil
	check(t)
}

// TestNoCache checks that NoCache changes how an image is built and not its key.
func TestNoCache(t *testing.T) {
	cached := ImageSpec{Name: "x", Dockerfile: "Dockerfile", Files: fstest.MapFS{"Dockerfile": {Data: []byte("FROM scratch\n")}}}
	uncached := cached
	uncached.NoCache = true
	if _, ok := frontendAttrs(cached)["no-cache"]; ok {
		t.Error("a plain build does not use the cache")
	}
	if _, ok := frontendAttrs(uncached)["no-cache"]; !ok {
		t.Error("NoCache uses the cache")
	}
	a, errA := cached.Key("base")
	b, errB := uncached.Key("base")
	if a != b || errA != nil || errB != nil {
		t.Errorf("keys %s and %s, %v, %v", a, b, errA, errB)
	}
}

func TestNeverBlocks(t *testing.T) {
	for kernel, want := range map[string]bool{
		"":                             false,
		"unknown":                      false,
		"2.6.32-431.el6.x86_64":        false,
		"3.10.0-1160.119.1.el7.x86_64": false,
		"4.18.0-553.el8_10.x86_64":     false,
		"5.5.19":                       false,
		"5.6.0-rc1":                    true,
		"5.10.0-28-amd64":              true,
		"5.15.49-linuxkit":             true,
		"6.1":                          true,
		"10.0.1":                       true,
	} {
		if got := neverBlocks(kernel); got != want {
			t.Errorf("%q: got %v", kernel, got)
		}
	}
}

// TestSidecarProfile checks which calls the sidecar's profile permits.
// TestSidecar checks the same in a container.
func TestSidecarProfile(t *testing.T) {
	text, err := sidecarProfile()
	if err != nil {
		t.Fatal(err)
	}
	var profile struct {
		DefaultAction string
		Syscalls      []struct {
			Names              []string
			Action             string
			Args               []struct{ Index, Value uint64 }
			Includes, Excludes struct{ Caps []string }
		}
	}
	if err := json.Unmarshal([]byte(text), &profile); err != nil {
		t.Fatal(err)
	}
	permitted := map[string]bool{} // and whether that depends on the arguments
	for _, rule := range profile.Syscalls {
		if len(rule.Includes.Caps)+len(rule.Excludes.Caps) > 0 {
			t.Errorf("%q depends on capabilities", rule.Names)
		}
		for _, name := range rule.Names {
			if rule.Action == "SCMP_ACT_ALLOW" {
				permitted[name] = permitted[name] || len(rule.Args) > 0
			}
		}
	}
	if profile.DefaultAction != "SCMP_ACT_ERRNO" {
		t.Errorf("the default is %s", profile.DefaultAction)
	}
	for _, name := range []string{
		"mount", "umount2", "fsopen", "fsmount", "fsconfig", "move_mount", "open_tree", "mount_setattr", "pivot_root", "chroot",
		"unshare", "setns", "clone3", "bpf", "keyctl", "add_key", "request_key", "ptrace", "process_vm_writev", "perf_event_open",
		"init_module", "finit_module", "delete_module", "kexec_load", "reboot", "swapon", "quotactl", "sethostname", "syslog",
		"open_by_handle_at", "fanotify_init", "iopl", "settimeofday", "userfaultfd", "io_uring_setup",
	} {
		if _, ok := permitted[name]; ok {
			t.Errorf("%s is permitted", name)
		}
	}
	for name, byArgs := range map[string]bool{"read": false, "execve": false, "kill": false, "wait4": false, "ioctl": true, "madvise": true, "clone": true} {
		if got, ok := permitted[name]; !ok || got != byArgs {
			t.Errorf("%s: permitted is %v, by its arguments is %v", name, ok, got)
		}
	}
}
