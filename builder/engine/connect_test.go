package engine_test

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"namibuild/builder/engine"
)

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestInfo(t *testing.T) {
	e, _ := connect(t)
	info := e.Info()
	if info.Version == "" || info.APIVersion == "" || info.CPUs < 1 || info.Memory < 1<<20 || info.OS != "linux" || info.Arch == "" || info.Kernel == "" {
		t.Fatalf("got %+v", info)
	}
}

// TestUnknownEntropy checks that a misspelled source of entropy is told.
func TestUnknownEntropy(t *testing.T) {
	_, err := engine.Connect(t.Context(), engine.Options{Prefix: "x", Entropy: "rng"})
	if err == nil || err.Error() != `connecting to the engine: entropy "rng": want rngd or nothing` {
		t.Errorf("got %v", err)
	}
}

func TestUnreachable(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "none.sock")
	for _, host := range []string{"unix://" + socket, "tcp://127.0.0.1:1", "nonsense://x", "ssh://nobody@127.0.0.1:1"} {
		t.Setenv("DOCKER_HOST", host)
		e, err := engine.Connect(t.Context(), engine.Options{Prefix: "x"})
		var u *engine.UnreachableError
		if !errors.As(err, &u) || u.Host != host || u.Denied || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, %v", host, e, err)
		}
	}
}

// oldEngine starts a server that answers as an engine with an old API.
func oldEngine(t *testing.T, api string) string {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", api)
		w.Header().Set("Content-Type", "application/json")
		if strings.HasSuffix(r.URL.Path, "/version") {
			w.Write([]byte(`{"Version":"19.03.1","ApiVersion":"` + api + `"}`))
		}
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return strings.Replace(s.URL, "http", "tcp", 1)
}

func TestTooOld(t *testing.T) {
	t.Setenv("DOCKER_HOST", oldEngine(t, "1.40"))
	_, err := engine.Connect(t.Context(), engine.Options{Prefix: "x"})
	var old *engine.TooOldError
	if !errors.As(err, &old) || old.Version != "19.03.1" || old.APIVersion != "1.40" {
		t.Fatalf("got %v", err)
	}
}

// TestDenied checks that a socket that may not be opened is distinguished from a
// missing one. The error is made here, because root may open any socket.
func TestDenied(t *testing.T) {
	var u *engine.UnreachableError
	err := engine.Unreachable("unix:///x", &net.OpError{Op: "dial", Err: os.ErrPermission})
	if !errors.As(err, &u) || !u.Denied {
		t.Fatalf("got %+v", err)
	}
}

func TestBadPrefix(t *testing.T) {
	if _, err := engine.Connect(t.Context(), engine.Options{Prefix: "A/b"}); err == nil {
		t.Fatal("the prefix A/b was accepted")
	}
}
