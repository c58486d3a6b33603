package engine_test

import (
	"context"
	"crypto/rand"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/volume"
	"github.com/docker/docker/client"
	"go.uber.org/goleak"

	"namibuild/builder/engine"
	"namibuild/builder/engine/enginetest"
	"namibuild/builder/hosttest"
)

const testDockerfile = `FROM scratch
ARG VARIANT
ENV PROBE=$VARIANT
COPY probe /probe
COPY probe /usr/lib/namibuild/rngd.sh
COPY probe /bin/cat
COPY known /known
COPY --chown=1000:1000 topdir /topdir
USER 1000:1000
`

// sidecarless is a Dockerfile without rngd.sh.
var sidecarless = strings.ReplaceAll(testDockerfile, "COPY probe /usr/lib/namibuild/rngd.sh\n", "")

const brokenDockerfile = `FROM scratch
COPY probe /probe
RUN ["/probe", "fail", "going wrong", "7"]
`

const packedDockerfile = `FROM scratch AS maker
COPY probe /probe
FROM scratch
COPY packed /out/packed
`

var probeBinary []byte

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(driverMark) != "":
		os.Exit(driver())
	case os.Getenv(sshMark) != "":
		os.Exit(dialStdio())
	}
	dir, err := os.MkdirTemp("", "engine-test-")
	if err == nil {
		probeBinary, err = buildProbe(dir)
	}
	os.RemoveAll(dir)
	if err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

func buildProbe(dir string) ([]byte, error) {
	file := filepath.Join(dir, "probe")
	build := exec.Command("go", "build", "-trimpath", "-o", file, "./enginetest/probe/static")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return nil, err
	}
	return os.ReadFile(file)
}

// files returns the build context of a Dockerfile.
func files(dockerfile string) fstest.MapFS {
	return fstest.MapFS{
		"Dockerfile": {Data: []byte(dockerfile)},
		"probe":      {Data: probeBinary, Mode: 0o755},
		"packed":     {Data: []byte("packed\n")},
		"known":      {Data: []byte("known\n")},
		"topdir":     {Mode: fs.ModeDir | 0o755},
	}
}

func image(name, dockerfile string) engine.ImageSpec {
	return engine.ImageSpec{Name: name, Files: files(dockerfile), Dockerfile: "Dockerfile"}
}

// connect connects with an image prefix of the test's own, and with rngd on every
// kernel. It removes the test's images at the end of the test.
func connect(t *testing.T) (*engine.Engine, string) {
	t.Helper()
	hosttest.Engine(t)
	prefix := "namibuild-test-" + strings.ToLower(rand.Text()[:10])
	e, err := engine.Connect(t.Context(), engine.Options{Prefix: prefix, Entropy: "rngd"})
	if err != nil {
		t.Fatalf("needs a Docker engine: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if _, err := e.RemoveImages(ctx); err != nil {
			t.Errorf("removing the test's images: %v", err)
		}
		if err := e.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return e, prefix
}

// docker returns a plain client, which does not use the package under test.
func docker(t *testing.T) *client.Client {
	t.Helper()
	c, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// left lists the containers and volumes with a label.
func left(t *testing.T, label string) (names []string) {
	t.Helper()
	with := filters.NewArgs(filters.Arg("label", label))
	containers, err := docker(t).ContainerList(t.Context(), container.ListOptions{All: true, Filters: with})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range containers {
		names = append(names, strings.Join(c.Names, ",")+" "+c.Status)
	}
	volumes, err := docker(t).VolumeList(t.Context(), volume.ListOptions{Filters: with})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range volumes.Volumes {
		names = append(names, "volume "+v.Name)
	}
	return names
}

// thisLabel is the label of what this process created.
func thisLabel() string { return "namibuild.owner=" + engine.ThisProcess() }

func TestContract(t *testing.T) {
	enginetest.Contract(t, func(t *testing.T) enginetest.Subject {
		e, _ := connect(t)
		return enginetest.Subject{
			Engine: enginetest.Real{Engine: e},
			Image:  image("probe", testDockerfile),
			Broken: image("broken", brokenDockerfile),
			Packed: image("packed", packedDockerfile),
			Topdir: "/topdir",
			Left:   func(t *testing.T) []string { return left(t, thisLabel()) },
		}
	})
}
