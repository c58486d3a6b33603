package engine_test

import (
	"archive/tar"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/docker/docker/client"

	"namibuild/builder/engine"
)

// forward forwards connections to the engine's socket and counts the bytes that
// are sent there.
func forward(t *testing.T, network, address string) (host string, sent *atomic.Int64) {
	t.Helper()
	socket := strings.TrimPrefix(os.Getenv("DOCKER_HOST"), "unix://")
	if socket == "" {
		socket = strings.TrimPrefix(client.DefaultDockerHost, "unix://")
	}
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	sent = new(atomic.Int64)
	pass := func(near net.Conn) {
		defer all.Done()
		defer near.Close()
		far, err := net.Dial("unix", socket)
		if err != nil {
			return
		}
		defer far.Close()
		all.Add(1)
		go func() {
			defer all.Done()
			_, _ = io.Copy(io.MultiWriter(far, counting{sent}), near)
			_ = far.(*net.UnixConn).CloseWrite()
		}()
		_, _ = io.Copy(near, far)
	}
	all.Add(1)
	go func() {
		defer all.Done()
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			all.Add(1)
			go pass(near)
		}
	}()
	t.Cleanup(func() { l.Close(); all.Wait() })
	return network + "://" + l.Addr().String(), sent
}

type counting struct{ n *atomic.Int64 }

func (c counting) Write(p []byte) (int, error) {
	c.n.Add(int64(len(p)))
	return len(p), nil
}

// TestUploadOverTheWire checks that an upload arrives unchanged, and that it is
// compressed on the way to a remote engine.
func TestUploadOverTheWire(t *testing.T) {
	text := strings.Repeat("static int timewait(void) { return TCP_TIMEWAIT_LEN; }\n", 200_000)
	for network, address := range map[string]string{"tcp": "127.0.0.1:0", "unix": t.TempDir() + "/forward.sock"} {
		t.Run(network, func(t *testing.T) {
			host, sent := forward(t, network, address)
			t.Setenv("DOCKER_HOST", host)
			e, _ := connect(t)
			c, err := e.Create(t.Context(), probeSpec(t, e, "lines", "1"))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Remove()
			before := sent.Load()
			if err := c.Upload(t.Context(), tarOf("in", text)); err != nil {
				t.Fatal(err)
			}
			n := sent.Load() - before
			if gzipped := n < int64(len(text))/10; gzipped != (network == "tcp") {
				t.Errorf("%d bytes were sent of %d", n, len(text))
			}
			if got := exported(t, c, "in"); got != text {
				t.Errorf("%d bytes arrived of %d, or other bytes", len(got), len(text))
			}
			broken := errors.New("broken")
			if err := c.Upload(t.Context(), io.MultiReader(io.LimitReader(tarOf("more", text), 1<<20), failing{broken})); !errors.Is(err, broken) {
				t.Errorf("a reader that fails: %v", err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if err := c.Upload(ctx, tarOf("more", text)); !errors.Is(err, context.Canceled) {
				t.Errorf("canceled: %v", err)
			}
		})
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// exported returns the content of a file of the topdir.
func exported(t *testing.T, c *engine.Container, name string) string {
	t.Helper()
	r, err := c.Export(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	in := tar.NewReader(r)
	if _, err := in.Next(); err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
