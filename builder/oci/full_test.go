package oci

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"

	memory "github.com/google/go-containerregistry/pkg/registry"
	"github.com/opencontainers/go-digest"
	"oras.land/oras-go/v2/registry"
)

// TestDiskFull checks that a full disk is not an error of the registry, and that the
// transfer is not tried again.
func TestDiskFull(t *testing.T) {
	gets, inner := 0, memory.New(memory.Logger(log.New(io.Discard, "", 0)))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			gets++
		}
		inner.ServeHTTP(w, r)
	}))
	defer s.Close()
	o := Options{PlainHTTP: true}
	repo := o.repository(registry.Reference{Registry: strings.TrimPrefix(s.URL, "http://"), Repository: "demo", Reference: "v1"})
	data := bytes.Repeat([]byte("kernel"), 10000)
	f := File{Path: "a.rpm", Digest: digest.FromBytes(data), Size: int64(len(data))}
	if err := repo.Blobs().Push(context.Background(), f.descriptor(), bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	var refused *RegistryError
	p := pull{Options: o, repo: repo}
	if err := p.fill(context.Background(), f, full); !errors.Is(err, syscall.ENOSPC) || errors.As(err, &refused) || gets != 1 {
		t.Errorf("after %d tries: %v", gets, err)
	}
}
