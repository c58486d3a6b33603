package oci_test

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	memory "github.com/google/go-containerregistry/pkg/registry"
	"golang.org/x/crypto/bcrypt"

	"namibuild/builder/hosttest"
)

// These are the name and password of the registries with accounts.
const (
	user     = "kernel"
	password = "s3cret word"
)

// registries start the implementations with which everything is tested.
var registries = map[string]func(*testing.T) string{
	"docker-registry":                        func(t *testing.T) string { return startRegistry(t, false) },
	"docker-registry with accounts":          func(t *testing.T) string { return startRegistry(t, true) },
	"go-containerregistry":                   func(t *testing.T) string { return startMemory(t, true) },
	"go-containerregistry without referrers": func(t *testing.T) string { return startMemory(t, false) },
}

// startMemory serves a registry in memory and returns its host.
func startMemory(t *testing.T, referrers bool) string {
	t.Helper()
	s := httptest.NewServer(memory.New(memory.Logger(log.New(io.Discard, "", 0)), memory.WithReferrersSupport(referrers)))
	t.Cleanup(s.Close)
	return hostOf(s)
}

func hostOf(s *httptest.Server) string { return strings.TrimPrefix(s.URL, "http://") }

// startRegistry runs Debian's docker-registry on loopback and returns its host.
func startRegistry(t *testing.T, accounts bool) string {
	t.Helper()
	path := hosttest.Program(t, "docker-registry")
	dir, host := t.TempDir(), freeHost(t)
	config := fmt.Sprintf("version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: %q}\n",
		filepath.Join(dir, "data"), host)
	if accounts {
		hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		put(t, dir, "htpasswd", user+":"+string(hash)+"\n")
		config += fmt.Sprintf("auth: {htpasswd: {realm: test, path: %s}}\n", filepath.Join(dir, "htpasswd"))
	}
	put(t, dir, "config.yml", config)
	cmd := exec.Command(path, "serve", filepath.Join(dir, "config.yml"))
	var complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &complaint, &complaint
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	for range 200 {
		if resp, err := http.Get("http://" + host + "/v2/"); err == nil {
			resp.Body.Close()
			return host
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("docker-registry does not answer: %s", &complaint)
	return ""
}

// freeHost returns an address on loopback where nothing listens.
func freeHost(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// proxy forwards requests to a registry, except for those that the function spoil answers
// or interrupts.
type proxy struct {
	mu       sync.Mutex
	requests []string // METHOD /path, in order
}

// startProxy starts a proxy before a registry. spoil returns true if it has answered a
// request, and panics to close the connection.
func startProxy(t *testing.T, host string, spoil func(w http.ResponseWriter, r *http.Request) bool) (string, *proxy) {
	t.Helper()
	p := &proxy{}
	forward := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: host})
	forward.ErrorLog = log.New(io.Discard, "", 0)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.requests = append(p.requests, r.Method+" "+r.URL.Path)
		p.mu.Unlock()
		if !spoil(w, r) {
			forward.ServeHTTP(w, r) // with the original host
		}
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Start()
	t.Cleanup(s.Close)
	return hostOf(s), p
}

// count returns the number of requests with a method and a part of the path.
func (p *proxy) count(method, part string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, r := range p.requests {
		if strings.HasPrefix(r, method+" ") && strings.Contains(r, part) {
			n++
		}
	}
	return n
}

func put(t *testing.T, dir, name, content string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
}
