package oci_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"oras.land/oras-go/v2/registry/remote/auth"

	"namibuild/builder/oci"
)

// dockerConfig writes Docker's configuration and sets $DOCKER_CONFIG.
func dockerConfig(t *testing.T, page string) {
	t.Helper()
	dir := t.TempDir()
	put(t, dir, "config.json", page)
	t.Setenv("DOCKER_CONFIG", dir)
}

// TestDockerCredential checks that credentials come from Docker's configuration and its
// helpers.
func TestDockerCredential(t *testing.T) {
	host := startRegistry(t, true)
	helpers := t.TempDir()
	put(t, helpers, "docker-credential-vault", "#!/bin/sh\nread host\n[ $1 = get ] && printf '{\"ServerURL\": \"%s\", \"Username\": \""+user+"\", \"Secret\": \""+password+"\"}' \"$host\"\n")
	if err := os.Chmod(filepath.Join(helpers, "docker-credential-vault"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", helpers+":"+os.Getenv("PATH"))
	dir := smallRelease(t)
	for name, c := range map[string]struct {
		config string
		status int
	}{
		"login":       {`{"auths": {"` + host + `": {"auth": "a2VybmVsOnMzY3JldCB3b3Jk"}}}`, 0},
		"helper":      {`{"credHelpers": {"` + host + `": "vault"}}`, 0},
		"store":       {`{"credsStore": "vault"}`, 0},
		"none":        {`{}`, http.StatusUnauthorized},
		"other host":  {`{"auths": {"example.org": {"auth": "a2VybmVsOnMzY3JldCB3b3Jk"}}}`, http.StatusUnauthorized},
		"wrong":       {`{"auths": {"` + host + `": {"auth": "a2VybmVsOndyb25n"}}}`, http.StatusUnauthorized},
		"helper gone": {`{"credHelpers": {"` + host + `": "lost"}}`, -1},
	} {
		t.Run(name, func(t *testing.T) {
			dockerConfig(t, c.config)
			credential, err := oci.DockerCredential()
			if err != nil {
				t.Fatal(err)
			}
			o := options()
			o.Credential = credential
			_, err = oci.Push(ctx, dir, host+"/"+strings.ReplaceAll(name, " ", "-")+":v1", o)
			var refused *oci.RegistryError
			switch errors.As(err, &refused); {
			case c.status == 0 && err != nil:
				t.Error(err)
			case c.status > 0 && (refused == nil || refused.Status != c.status):
				t.Errorf("got %v, want status %d", err, c.status)
			case c.status < 0 && (err == nil || !strings.Contains(err.Error(), "docker-credential-lost")):
				t.Errorf("got %v, want the helper's name", err)
			}
			if err != nil && (strings.Contains(err.Error(), password) || strings.Contains(err.Error(), "a2Vyb")) {
				t.Errorf("the error has a secret: %v", err)
			}
		})
	}
	dockerConfig(t, "{")
	if _, err := oci.DockerCredential(); err == nil || !strings.HasPrefix(err.Error(), "reading Docker's credentials: ") {
		t.Errorf("broken configuration: %v", err)
	}
}

// TestToken checks a registry that sends its users to a token server, as the large ones do.
func TestToken(t *testing.T) {
	real := startMemory(t, true)
	tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name, secret, _ := r.BasicAuth(); name != user || secret != password || !strings.Contains(r.URL.Query().Get("scope"), "repository:demo:") {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Write([]byte(`{"token": "good"}`))
	}))
	t.Cleanup(tokens.Close)
	host, _ := startProxy(t, real, func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Authorization") == "Bearer good" {
			return false
		}
		w.Header().Set("WWW-Authenticate", `Bearer realm="`+tokens.URL+`/token",service="test",scope="repository:demo:pull,push"`)
		w.WriteHeader(http.StatusUnauthorized)
		return true
	})
	pushed, err := oci.Push(ctx, smallRelease(t), host+"/demo:v1", options())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := oci.Pull(ctx, pushed.Reference, filepath.Join(t.TempDir(), "x"), options()); err != nil {
		t.Error(err)
	}
	o := options()
	o.Credential = func(context.Context, string) (auth.Credential, error) {
		return auth.Credential{Username: user, Password: "wrong"}, nil
	}
	var refused *oci.RegistryError
	if _, err := oci.Push(ctx, smallRelease(t), host+"/demo:v2", o); !errors.As(err, &refused) || refused.Status != http.StatusUnauthorized {
		t.Errorf("wrong password: %v", err)
	}
}

// TestHTTPS checks that a registry which uses HTTP is refused without PlainHTTP.
func TestHTTPS(t *testing.T) {
	o := options()
	o.PlainHTTP = false
	host := startMemory(t, true)
	_, err := oci.Push(ctx, smallRelease(t), host+"/demo:v1", o)
	if want := "pushing " + host + "/demo:v1: registry " + host + ": http: server gave HTTP response to HTTPS client"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	unused := freeHost(t)
	_, err = oci.Pull(ctx, unused+"/demo:v1", filepath.Join(t.TempDir(), "x"), options())
	var refused *oci.RegistryError
	if !errors.As(err, &refused) || refused.Status != 0 || !strings.HasSuffix(err.Error(), "connect: connection refused") {
		t.Errorf("no server: %v", err)
	}
}

// TestReferences checks which references are refused, and which are on this host.
func TestReferences(t *testing.T) {
	dir := smallRelease(t)
	for _, c := range []struct {
		reference string
		pull      bool
		want      string
	}{
		{"demo", false, "reference demo: it must be HOST/REPOSITORY:TAG or HOST/REPOSITORY@sha256:…"},
		{"https://example.org/demo:v1", false, "reference https://example.org/demo:v1: it must be HOST/REPOSITORY:TAG or "},
		{"example.org/Demo:v1", false, "reference example.org/Demo:v1: it must be HOST"},
		{"example.org/demo:v 1", true, "reference example.org/demo:v 1: it must be HOST"},
		{"example.org/demo@sha256:12", true, "reference example.org/demo@sha256:12: it must be HOST"},
		{"example.org/demo@sha256:" + strings.Repeat("0", 64), false, "the digest results from the push; give a tag, or none"},
		{"example.org/demo", true, "reference example.org/demo: it must have a tag or a digest"},
	} {
		var err error
		if c.pull {
			_, err = oci.Pull(ctx, c.reference, filepath.Join(t.TempDir(), "x"), options())
		} else {
			_, err = oci.Push(ctx, dir, c.reference, options())
		}
		var wrong *oci.ReferenceError
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.reference, err, c.want)
		}
	}
	for reference, want := range map[string]bool{"localhost:5000/a": true, "127.0.0.9/a:v1": true, "[::1]:5000/a": true,
		"localhost.example.org/a": false, "example.org:5000/a": false, "10.0.0.1/a": false, "nonsense": false} {
		if oci.Loopback(reference) != want {
			t.Errorf("%s: loopback is %v", reference, !want)
		}
	}
}

// TestPushFolders checks that folders which are not a release are refused.
func TestPushFolders(t *testing.T) {
	host, dir := startMemory(t, true), t.TempDir()
	push := func(dir string) error {
		_, err := oci.Push(ctx, dir, host+"/demo:v1", options())
		return err
	}
	if err := push(dir); err == nil || err.Error() != "reading the release: "+dir+" has no *.rpm" {
		t.Errorf("empty: %v", err)
	}
	if err := push(filepath.Join(dir, "absent")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("absent: %v", err)
	}
	put(t, dir, "a.rpm", "x")
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := push(dir); err == nil || !strings.HasSuffix(err.Error(), "link is a symbolic link, which is not used") {
		t.Errorf("link: %v", err)
	}
	if err := errors.Join(os.Remove(filepath.Join(dir, "link")), syscall.Mkfifo(filepath.Join(dir, "bench.csv"), 0o666)); err != nil {
		t.Fatal(err)
	}
	if err := push(dir); err == nil || !strings.HasSuffix(err.Error(), "bench.csv is a FIFO, which is not used") {
		t.Errorf("FIFO: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "bench.csv")); err != nil {
		t.Fatal(err)
	}
	put(t, dir, "signing.key", "secret")
	if err := push(dir); err == nil || !strings.HasSuffix(err.Error(), "signing.key is not a file of a set or release") {
		t.Errorf("a key: %v", err)
	}
}
