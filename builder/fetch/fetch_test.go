package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

var body = bytes.Repeat([]byte("kernel"), 50_000)

// partial names the files that a store keeps of an incomplete download of body.
var partial = []string{digest(body), digest(body) + ".json"}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func open(t *testing.T) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "store"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// left fails the test if the store has other files than those in digests.
func left(t *testing.T, s *Store, digests ...string) {
	t.Helper()
	want := map[string]bool{}
	for _, d := range digests {
		want[d] = true
	}
	for _, dir := range []string{"tmp", "part", "sha256"} {
		entries, err := os.ReadDir(filepath.Join(s.Dir(), dir))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if !want[e.Name()] {
				t.Errorf("left in the store: %s/%s", dir, e.Name())
			}
		}
	}
}

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL + "/kernel.src.rpm"
}

func TestFetchOnce(t *testing.T) {
	var hits atomic.Int32
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		hits.Add(1)
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		w.Write(body)
	})
	s := open(t)
	var done, total int64
	progress := func(d, n int64) { done, total = d, n }
	for i := range 2 {
		f, err := s.Fetch(context.Background(), Input{URL: url, SHA256: digest(body)}, progress)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(f.Path); err != nil || !bytes.Equal(got, body) || f.Size != int64(len(body)) || f.Cached != (i == 1) {
			t.Fatalf("fetch %d: %+v, %v", i, f, err)
		}
	}
	if hits.Load() != 1 || done != int64(len(body)) || total != int64(len(body)) {
		t.Errorf("%d requests, progress %d of %d", hits.Load(), done, total)
	}
	left(t, s, digest(body))
}

// TestFetchByVerify checks that a source without a digest is verified again when
// it comes from the store.
func TestFetchByVerify(t *testing.T) {
	var hits, verified int
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) { hits++; w.Write(body) })
	s := open(t)
	verify := func(r io.Reader) error {
		verified++
		got, err := io.ReadAll(r)
		if err == nil && !bytes.Equal(got, body) {
			err = errors.New("other bytes")
		}
		return err
	}
	for range 2 {
		if _, err := s.Fetch(context.Background(), Input{URL: url, Verify: verify}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if hits != 1 || verified != 2 {
		t.Errorf("%d requests, verified %d times", hits, verified)
	}
}

func TestFetchAgainAfterDamage(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Write(body) })
	s := open(t)
	in := Input{URL: url, SHA256: digest(body)}
	f, err := s.Fetch(context.Background(), in, nil)
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(body)
	flipped[len(body)/2] ^= 1
	if err := os.WriteFile(f.Path, flipped, 0o666); err != nil {
		t.Fatal(err)
	}
	f, err = s.Fetch(context.Background(), in, nil)
	if err != nil || f.Cached {
		t.Fatalf("%+v, %v", f, err)
	}
	if got, _ := os.ReadFile(f.Path); !bytes.Equal(got, body) {
		t.Error("the damaged file was returned")
	}
}

func TestFetchErrors(t *testing.T) {
	refused := errors.New("not signed")
	tests := map[string]struct {
		handler http.HandlerFunc
		in      Input
		want    string
	}{
		"wrong digest": {
			func(w http.ResponseWriter, _ *http.Request) { w.Write(body) },
			Input{SHA256: digest(nil)},
			"fetching URL: sha256 got " + digest(body) + ", want " + digest(nil),
		},
		"refused": {
			func(w http.ResponseWriter, _ *http.Request) { w.Write(body) },
			Input{Verify: func(io.Reader) error { return refused }},
			"fetching URL: not signed",
		},
		"gone": {
			http.NotFound, Input{SHA256: digest(body)},
			"fetching URL: the server answers 404 Not Found",
		},
		"broken off": {
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", fmt.Sprint(len(body)))
				w.Write(body[:1000])
			},
			Input{SHA256: digest(body)},
			"fetching URL: broken off after 1000 of 300000 bytes: unexpected EOF, in 4 tries",
		},
		"neither digest nor signature": {
			http.NotFound, Input{},
			"fetching URL: it has neither a sha256 nor a signature",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s, _ := withoutPauses(t)
			test.in.URL = serve(t, test.handler)
			_, err := s.Fetch(context.Background(), test.in, nil)
			if err == nil || strings.ReplaceAll(err.Error(), test.in.URL, "URL") != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
			if name == "broken off" {
				left(t, s, partial...)
				return
			}
			left(t, s)
		})
	}
}

func TestFetchCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	blocked := make(chan struct{})
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Write(body)
		w.(http.Flusher).Flush()
		cancel()
		<-r.Context().Done()
		close(blocked)
	})
	s := open(t)
	_, err := s.Fetch(ctx, Input{URL: url, SHA256: digest(body)}, nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	<-blocked
	left(t, s, partial...)
}

func TestFetchFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kernel.src.rpm")
	if err := os.WriteFile(path, body, 0o666); err != nil {
		t.Fatal(err)
	}
	s := open(t)
	f, err := s.Fetch(context.Background(), Input{File: path, SHA256: digest(body)}, nil)
	if err != nil || f.Path != path {
		t.Fatalf("%+v, %v", f, err)
	}
	_, err = s.Fetch(context.Background(), Input{File: path, SHA256: digest(nil)}, nil)
	if e := (*DigestError)(nil); !errors.As(err, &e) || e.Got != digest(body) {
		t.Errorf("got %v", err)
	}
	_, err = s.Fetch(context.Background(), Input{File: path + "x", SHA256: digest(body)}, nil)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	left(t, s)
}
