package engine_test

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/docker/docker/client"

	"namibuild/builder/engine"
)

// sshMark is an environment variable that makes the test binary the far end of
// an ssh connection. Its value is the path of the engine's socket.
const sshMark = "NAMIBUILD_TEST_SSH"

// dialStdio does what `docker system dial-stdio` does on the engine's host.
func dialStdio() int {
	engine, err := net.Dial("unix", os.Getenv(sshMark))
	if err != nil {
		return 1
	}
	go func() {
		_, _ = io.Copy(engine, os.Stdin)
		_ = engine.(*net.UnixConn).CloseWrite()
	}()
	_, _ = io.Copy(os.Stdout, engine)
	return 0
}

// TestSSH runs a container through ssh://, with a script in the place of ssh.
func TestSSH(t *testing.T) {
	socket := strings.TrimPrefix(os.Getenv("DOCKER_HOST"), "unix://")
	if socket == "" {
		socket = strings.TrimPrefix(client.DefaultDockerHost, "unix://")
	}
	dir := t.TempDir()
	called := filepath.Join(dir, "called")
	script := "#!/bin/sh\necho \"$*\" >> " + called + "\n" + sshMark + "=" + socket + " exec " + os.Args[0] + "\n"
	if err := os.WriteFile(filepath.Join(dir, "ssh"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	t.Setenv("DOCKER_HOST", "ssh://builder@far")
	e, _ := connect(t)
	s := probeSpec(t, e, "lines", "1000")
	t.Setenv("DOCKER_HOST", "unix://"+socket) // for the plain client
	got, _ := run(t, e, s)
	if got.exit != (engine.Exit{}) || got.err != nil || len(got.log) != 64_000 {
		t.Fatalf("got %+v, %v, %d bytes", got.exit, got.err, len(got.log))
	}
	if words := read(t, called); !strings.Contains(words, "far") || !strings.Contains(words, "system dial-stdio") {
		t.Fatalf("ssh was called with: %s", words)
	}
}
