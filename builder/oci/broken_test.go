package oci_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/go-cmp/cmp"

	"namibuild/builder/oci"
)

func isUpload(r *http.Request) bool {
	return r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/blobs/uploads/")
}

// breakOff reads a little of an upload and closes the connection.
func breakOff(r *http.Request) {
	io.CopyN(io.Discard, r.Body, 100000)
	panic(http.ErrAbortHandler)
}

// TestPushBreaksOff checks that an interrupted push is tried again. If that does not
// help, it fails, the tag is not set, and the next push sends only what is missing.
func TestPushBreaksOff(t *testing.T) {
	for name, start := range registries {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			real, dir := start(t), smallRelease(t)
			var broken atomic.Int32
			host, _ := startProxy(t, real, func(w http.ResponseWriter, r *http.Request) bool {
				if isUpload(r) && r.ContentLength == 600000 && broken.Add(1) <= 2 {
					breakOff(r)
				}
				return false
			})
			if pushed, err := oci.Push(ctx, dir, host+"/once:v1", options()); err != nil || pushed.Sent < 6e5 || broken.Load() != 3 {
				t.Errorf("broken off twice: %v, tried %d times", err, broken.Load())
			}
			put(t, dir, "RPMS/kernel-devel-1-1.x86_64.rpm", strings.Repeat("DEVEL", 100))
			put(t, dir, "proof.log", "booted again\n")
			host, _ = startProxy(t, real, func(w http.ResponseWriter, r *http.Request) bool {
				if isUpload(r) && r.ContentLength == 500 {
					breakOff(r)
				}
				return false
			})
			_, err := oci.Push(ctx, dir, host+"/always:v1", options())
			var refused *oci.RegistryError
			if !errors.As(err, &refused) || !strings.HasPrefix(err.Error(), "pushing "+host+"/always:v1: RPMS/kernel-devel-1-1.x86_64.rpm: registry "+host+": ") {
				t.Errorf("got %v", err)
			}
			if all := tags(t, real, "always"); len(all) != 0 {
				t.Errorf("tags after a failure: %v", all)
			}
			host, seen := startProxy(t, real, func(http.ResponseWriter, *http.Request) bool { return false })
			pushed, err := oci.Push(ctx, dir, host+"/always:v1", options())
			if err != nil || pushed.Sent < 500 || pushed.Sent > 1000 || seen.count("POST", "/blobs/uploads/") > 15 { // of 17 blobs
				t.Errorf("the next one: %v: sent %d bytes, %d blobs", err, pushed.Sent, seen.count("POST", "/blobs/uploads/"))
			}
		})
	}
}

// TestTagComesLast checks that the tag is set by the last request, and not if any other
// request fails.
func TestTagComesLast(t *testing.T) {
	dir := smallRelease(t)
	real := startMemory(t, true)
	host, all := startProxy(t, real, func(http.ResponseWriter, *http.Request) bool { return false })
	if _, err := oci.Push(ctx, dir, host+"/demo:v1", options()); err != nil {
		t.Fatal(err)
	}
	last := all.requests[len(all.requests)-1]
	if last != "PUT /v2/demo/manifests/v1" || all.count("PUT", "/manifests/v1") != 1 {
		t.Errorf("last request: %s", last)
	}
	for i := range len(all.requests) {
		fresh, n := startMemory(t, true), atomic.Int32{}
		host, _ := startProxy(t, fresh, func(w http.ResponseWriter, r *http.Request) bool {
			if int(n.Add(1)) <= i {
				return false
			}
			w.WriteHeader(http.StatusForbidden)
			return true
		})
		if _, err := oci.Push(ctx, dir, host+"/demo:v1", options()); err == nil {
			t.Errorf("request %d refused: no error", i)
		}
		if all := tags(t, fresh, "demo"); len(all) != 0 {
			t.Errorf("request %d refused: tags %v", i, all)
		}
	}
}

// TestPullGoesOn checks that an interrupted pull continues where it was interrupted.
func TestPullGoesOn(t *testing.T) {
	for name, start := range registries {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			real, dir := start(t), smallRelease(t)
			pushed, err := oci.Push(ctx, dir, real+"/demo:v1", options())
			if err != nil {
				t.Fatal(err)
			}
			big := pushed.Files[1].Digest.String()
			var tries atomic.Int32
			host, _ := startProxy(t, real, func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, big) || r.Header.Get("Range") != "" || tries.Add(1) > 2 {
					return false
				}
				w.Header().Set("Accept-Ranges", "bytes")
				w.Header().Set("Content-Length", strconv.Itoa(600000))
				io.WriteString(w, strings.Repeat("kernel", 40000))
				panic(http.ErrAbortHandler)
			})
			to := filepath.Join(t.TempDir(), "release")
			_, err = oci.Pull(ctx, host+"/demo:v1", to, options())
			if err != nil || tries.Load() < 2 {
				t.Fatalf("after %d tries: %v", tries.Load(), err)
			}
			if diff := cmp.Diff(tree(t, dir), tree(t, to)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestPullFails checks that nothing is left if a digest is wrong, something is missing,
// or Check returns an error.
func TestPullFails(t *testing.T) {
	real := startMemory(t, true)
	pushed, err := oci.Push(ctx, smallRelease(t), real+"/demo:v1", options())
	if err != nil {
		t.Fatal(err)
	}
	answer := func(part, content string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, part) {
				return false
			}
			io.WriteString(w, content)
			return true
		}
	}
	unwanted := errors.New("not proven")
	cancelled, cancel := context.WithCancel(ctx)
	for name, c := range map[string]struct {
		spoil func(http.ResponseWriter, *http.Request) bool
		with  func(*oci.Options)
		ctx   context.Context
		want  string
	}{
		"another file":     {spoil: answer(pushed.Files[2].Digest.String(), strings.Repeat("evil!", 100)), want: "RPMS/kernel-devel-1-1.x86_64.rpm: registry HOST: sent sha256:"},
		"a longer file":    {spoil: answer(pushed.Files[2].Digest.String(), strings.Repeat("devel", 101)), want: "RPMS/kernel-devel-1-1.x86_64.rpm: registry HOST: "},
		"a shorter file":   {spoil: answer(pushed.Files[2].Digest.String(), "devel"), want: "RPMS/kernel-devel-1-1.x86_64.rpm: registry HOST: "},
		"another manifest": {spoil: answer("/manifests/", "{}"), want: "registry HOST: "},
		"check says no":    {with: func(o *oci.Options) { o.Check = func(string) error { return unwanted } }, want: "not proven"},
		"cancelled":        {ctx: cancelled, spoil: func(w http.ResponseWriter, r *http.Request) bool { cancel(); return false }, want: "canceled"},
		"file is gone there": {spoil: func(w http.ResponseWriter, r *http.Request) bool {
			gone := strings.Contains(r.URL.Path, pushed.Files[3].Digest.String())
			if gone {
				w.WriteHeader(http.StatusNotFound)
			}
			return gone
		}, want: "SHA256SUMS: registry HOST: "},
	} {
		t.Run(name, func(t *testing.T) {
			host := real
			if c.spoil != nil {
				host, _ = startProxy(t, real, c.spoil)
			}
			o, dir := options(), t.TempDir()
			if c.with != nil {
				c.with(&o)
			}
			if c.ctx == nil {
				c.ctx = ctx
			}
			_, err := oci.Pull(c.ctx, host+"/demo@"+pushed.Digest.String(), filepath.Join(dir, "release"), o)
			if err == nil || !strings.Contains(err.Error(), strings.ReplaceAll(c.want, "HOST", host)) {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if left, _ := os.ReadDir(dir); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
		})
	}
}

// TestPullFolders checks into which folders a release is pulled.
func TestPullFolders(t *testing.T) {
	host := startMemory(t, true)
	if _, err := oci.Push(ctx, smallRelease(t), host+"/demo:v1", options()); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	put(t, dir, "full/file", "mine")
	put(t, dir, ".killed.part/RPMS/half.rpm", "half")
	put(t, dir, ".busy.part/file", "another's")
	busy := flock.New(filepath.Join(dir, ".busy.part", ".lock"))
	if locked, err := busy.TryLock(); !locked || err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o777); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"full": "full: the folder exists and is not empty", "full/file": "full/file: it exists and is not a folder",
		"busy": "busy: another namibuild is writing there", "empty": "", "killed": "", "a/b/c": "",
	} {
		_, err := oci.Pull(ctx, host+"/demo:v1", filepath.Join(dir, name), options())
		if (err == nil) != (want == "") || err != nil && !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
		if err == nil && len(tree(t, filepath.Join(dir, name))) != 18 {
			t.Errorf("%s: not all files", name)
		}
	}
	if data, err := os.ReadFile(filepath.Join(dir, ".busy.part/file")); err != nil || string(data) != "another's" {
		t.Errorf("the other pull's file: %q, %v", data, err)
	}
}

// TestStalls checks that a transfer without progress is tried again, and that the error
// says so.
func TestStalls(t *testing.T) {
	real, dir := startMemory(t, true), smallRelease(t)
	pushed, err := oci.Push(ctx, dir, real+"/demo:v1", options())
	if err != nil {
		t.Fatal(err)
	}
	defer oci.SetStall(100 * time.Millisecond)()
	var tries atomic.Int32
	over := make(chan struct{})
	wait := func(w http.ResponseWriter, r *http.Request) {
		tries.Add(1)
		if r.Method == http.MethodGet {
			w.Header().Set("Content-Length", "500")
			io.WriteString(w, "devel")
			w.(http.Flusher).Flush()
		}
		select { // the server sees no end of a client whose body it does not read
		case <-r.Context().Done():
		case <-over:
		}
	}
	host, _ := startProxy(t, real, func(w http.ResponseWriter, r *http.Request) bool {
		stall := r.Method == http.MethodGet && strings.Contains(r.URL.Path, pushed.Files[2].Digest.String()) || isUpload(r) && r.ContentLength == 6<<20
		if stall {
			wait(w, r)
		}
		return stall
	})
	t.Cleanup(func() { close(over) }) // before the proxy closes
	_, err = oci.Pull(ctx, host+"/demo:v1", filepath.Join(t.TempDir(), "x"), options())
	if err == nil || !strings.HasSuffix(err.Error(), "registry "+host+": no byte passed for a minute") || tries.Swap(0) != 3 {
		t.Errorf("pull: %v", err)
	}
	put(t, dir, "RPMS/large.rpm", strings.Repeat("large!", 1<<20))
	_, err = oci.Push(ctx, dir, host+"/demo:v2", options())
	if err == nil || !strings.HasSuffix(err.Error(), "registry "+host+": no byte passed for a minute") || tries.Load() != 3 {
		t.Errorf("push: %v", err)
	}
}
