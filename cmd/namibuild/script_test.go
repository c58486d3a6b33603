//go:build !e2e

package main

import (
	"crypto/sha256"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	memory "github.com/google/go-containerregistry/pkg/registry"
	"github.com/rogpeppe/go-internal/testscript"

	"namibuild/builder/pgp"
	"namibuild/builder/sign"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"namibuild": main})
}

// TestScripts runs the scripts of testdata/script, which use the command without an engine;
// the tests in the e2e_ files need one. In its folder each script finds
//
//   - tiny.yaml, the tiny kernel, and timewait.yaml, the shipped recipe centos6.5-timewait
//     with the tiny kernel as its source;
//   - el7.yaml and so on, the shipped recipes of the other families (see families);
//   - built, the output directory of a build of tiny.yaml with an engine in memory;
//   - one, again and other, the sets of writeSets, and the keys of writeKeys;
//   - ca.pem, the certificate of the registry at $TLSREGISTRY.
//
// $SERVER serves the folder over HTTP. $REGISTRY and $TLSREGISTRY are an empty container
// registry, over HTTP and HTTPS.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("DOCKER_HOST", "unix://"+e.WorkDir+"/no.sock")
			tinyPath := newTiny().write(t)
			for _, name := range []string{"tiny.yaml", "kernel.src.rpm"} {
				data, err := os.ReadFile(filepath.Join(filepath.Dir(tinyPath), name))
				if err != nil {
					return err
				}
				write(t, filepath.Join(e.WorkDir, name), data)
			}
			write(t, filepath.Join(e.WorkDir, "timewait.yaml"), procedure(t, tinyPath))
			writeSets(t, e.WorkDir)
			for _, f := range families {
				srpm := f.srpm(t)
				write(t, filepath.Join(e.WorkDir, f.name+".src.rpm"), srpm)
				page := shippedWith(t, f.recipe, f.name+".src.rpm", fmt.Sprintf("sha256: %x", sha256.Sum256(srpm)))
				write(t, filepath.Join(e.WorkDir, f.name+".yaml"), f.withTarball(t, e.WorkDir, page))
			}
			record(t, filepath.Join(e.WorkDir, "tiny.yaml"), filepath.Join(e.WorkDir, "store"), filepath.Join(e.WorkDir, "built"))
			server := httptest.NewServer(together(http.FileServer(http.Dir(e.WorkDir))))
			e.Defer(server.Close)
			e.Setenv("SERVER", server.URL)
			registry := httptest.NewServer(memory.New(memory.Logger(log.New(io.Discard, "", 0)), memory.WithReferrersSupport(true)))
			e.Defer(registry.Close)
			e.Setenv("REGISTRY", strings.TrimPrefix(registry.URL, "http://"))
			secure := httptest.NewTLSServer(registry.Config.Handler)
			e.Defer(secure.Close)
			e.Setenv("TLSREGISTRY", strings.TrimPrefix(secure.URL, "https://"))
			write(t, filepath.Join(e.WorkDir, "ca.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}))
			return writeKeys(e.WorkDir)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
	})
}

// publisher makes a key. It does so once, since RSA 4096 takes seconds.
var publisher = sync.OnceValues(func() (files [2][]byte, err error) {
	k, secret, err := sign.Generate(pgp.NewKeyOptions{Name: "Publisher <publisher@example.org>", Created: time.Unix(1388000000, 0)}, nil)
	if err != nil {
		return files, err
	}
	public, err := k.Public()
	return [2][]byte{secret, public}, err
})

// writeKeys writes publisher.key and publisher.asc, and others.asc, the public half of
// another key.
func writeKeys(dir string) error {
	key, err := publisher()
	if err != nil {
		return err
	}
	other, err := os.ReadFile("../../builder/pgp/testdata/certificate.asc")
	return errors.Join(err, os.WriteFile(filepath.Join(dir, "publisher.key"), key[0], 0o600),
		os.WriteFile(filepath.Join(dir, "publisher.asc"), key[1], 0o666), os.WriteFile(filepath.Join(dir, "others.asc"), other, 0o666))
}

// procedure returns the shipped recipe of the procedure with another source: the tiny
// kernel, which has the lines and names of the real one.
func procedure(t *testing.T, tinyPath string) []byte {
	t.Helper()
	tinyPage, err := os.ReadFile(tinyPath)
	if err != nil {
		t.Fatal(err)
	}
	digest := regexp.MustCompile(`sha256: \w+`).Find(tinyPage)
	return shippedWith(t, "centos6.5-timewait", "kernel.src.rpm", string(digest))
}

// shippedWith returns the page of a shipped recipe with a file as its source.
func shippedWith(t *testing.T, name, file, digest string) []byte {
	t.Helper()
	page, err := os.ReadFile("../../recipes/" + name + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	page = regexp.MustCompile(`(?m)^  mirrors:\n(    - .*\n)+`).ReplaceAll(page, nil)
	page = regexp.MustCompile(`(?m)^  url: .*$`).ReplaceAll(page, []byte("  file: "+file))
	return regexp.MustCompile(`(?m)^  signed-by: .*$`).ReplaceAll(page, []byte("  "+digest))
}

// together makes a handler that serves what is below /together/ only to two requests at the
// same time.
func together(files http.Handler) http.Handler {
	meet := make(chan struct{})
	mux := http.NewServeMux()
	mux.Handle("/", files)
	mux.HandleFunc("/together/", func(w http.ResponseWriter, r *http.Request) {
		select {
		case meet <- struct{}{}:
		case <-meet:
		case <-time.After(30 * time.Second):
			http.Error(w, "alone", http.StatusNotFound)
			return
		}
		http.StripPrefix("/together", files).ServeHTTP(w, r)
	})
	return mux
}

// exits is the script command "exits CODE PROGRAM ARG...", which runs a program and demands
// that exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit %d, want %d", got, want)
	}
}
