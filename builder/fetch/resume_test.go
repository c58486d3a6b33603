package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFetchResumes(t *testing.T) {
	ignoring := func(w http.ResponseWriter, _ *http.Request, _ int) { w.Write(body) }
	tests := map[string]struct {
		answers  []answer
		requests []string
		pauses   int
	}{
		"cut":                             {[]answer{upTo(body, `"1"`, 1000), served(body, `"1"`)}, []string{"", `1000- if "1"`}, 1},
		"cut twice":                       {[]answer{upTo(body, `"1"`, 1000), upTo(body, `"1"`, 2000), served(body, `"1"`)}, []string{"", `1000- if "1"`, `2000- if "1"`}, 2},
		"weak tag":                        {[]answer{upTo(body, `W/"1"`, 1000), upTo(body, `W/"1"`, len(body))}, []string{"", "1000-"}, 1},
		"no length, cut":                  {[]answer{cutChunks(body[:1000]), upTo(body, "", len(body))}, []string{"", "1000-"}, 1},
		"range ignored":                   {[]answer{upTo(body, `"1"`, 1000), ignoring}, []string{"", `1000- if "1"`}, 1},
		"file changed":                    {[]answer{upTo(other, `"1"`, 1000), served(body, `"2"`)}, []string{"", `1000- if "1"`}, 1},
		"changed, If-Range ignored":       {[]answer{upTo(other, `"1"`, 1000), upTo(body, `"2"`, len(body)), upTo(body, `"2"`, len(body))}, []string{"", `1000- if "1"`, ""}, 1},
		"changed length":                  {[]answer{upTo(other[:5000], `"1"`, 1000), upTo(body, `"2"`, len(body))}, []string{"", `1000- if "1"`, ""}, 2},
		"bit flipped before":              {[]answer{upTo(flipped(500), `"1"`, 1000), served(body, `"1"`)}, []string{"", `1000- if "1"`, ""}, 1},
		"less than the range":             {[]answer{upTo(body, `"1"`, 1000), exact(206, "bytes 1000-1999/300000", body[1000:2000]), served(body, `"1"`)}, []string{"", `1000- if "1"`, "2000-"}, 2},
		"more than the range":             {[]answer{upTo(body, `"1"`, 1000), exact(206, "bytes 1000-299999/300000", append(body[1000:], "more"...)), served(body, `"1"`)}, []string{"", `1000- if "1"`, ""}, 2},
		"another range":                   {[]answer{upTo(body, `"1"`, 1000), exact(206, "bytes 0-299999/300000", body), served(body, `"1"`)}, []string{"", `1000- if "1"`, ""}, 2},
		"no range":                        {[]answer{upTo(body, `"1"`, 1000), exact(206, "", body), served(body, `"1"`)}, []string{"", `1000- if "1"`, ""}, 2},
		"complete without a known length": {[]answer{cutChunks(body), status(416, "Content-Range", "bytes */300000")}, []string{"", "300000-"}, 1},
		"shorter now":                     {[]answer{upTo(append(body, 0), `"1"`, 300_000), status(416, "Content-Range", "bytes */2000"), served(body, `"2"`)}, []string{"", `300000- if "1"`, ""}, 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s, pauses := withoutPauses(t)
			server := &script{answers: test.answers}
			f, err := s.Fetch(context.Background(), Input{URL: serve(t, server.ServeHTTP), SHA256: digest(body)}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got, _ := os.ReadFile(f.Path); !bytes.Equal(got, body) || f.Size != int64(len(body)) {
				t.Errorf("got %d bytes, %+v", len(got), f)
			}
			if d := cmp.Diff(test.requests, server.requests); d != "" {
				t.Errorf("requests: -want +got\n%s", d)
			}
			if len(*pauses) != test.pauses {
				t.Errorf("%d pauses, want %d", len(*pauses), test.pauses)
			}
			left(t, s, digest(body))
		})
	}
}

// TestFetchGivesUpOnAWrongFile checks that a wrong file that comes in pieces is
// fetched again once and not forever.
func TestFetchGivesUpOnAWrongFile(t *testing.T) {
	s, _ := withoutPauses(t)
	cut, rest := upTo(other, `"1"`, 1000), upTo(other, `"1"`, len(other))
	server := &script{answers: []answer{cut, rest, cut, rest, served(body, `"2"`)}}
	_, err := s.Fetch(context.Background(), Input{URL: serve(t, server.ServeHTTP), SHA256: digest(body)}, nil)
	if e := (*DigestError)(nil); !errors.As(err, &e) || e.Got != digest(other) || len(server.requests) != 4 {
		t.Errorf("%v, requests %q", err, server.requests)
	}
	left(t, s)
}

// TestFetchContinuesInTheNextRun checks that what came before an interruption is
// kept, and that the next run requests only the rest.
func TestFetchContinuesInTheNextRun(t *testing.T) {
	verify := func(io.Reader) error { return nil }
	for name, in := range map[string]Input{"by digest": {SHA256: digest(body)}, "by URL": {Verify: verify}} {
		t.Run(name, func(t *testing.T) {
			s, _ := withoutPauses(t)
			ctx, cancel := context.WithCancel(context.Background())
			server := &script{answers: []answer{
				func(w http.ResponseWriter, r *http.Request, start int) {
					defer func() { recover(); <-r.Context().Done() }()
					upTo(body, `"1"`, 1000)(w, r, start)
				},
				served(body, `"1"`),
			}}
			in.URL = serve(t, server.ServeHTTP)
			progress := func(done, _ int64) {
				if done == 1000 {
					cancel()
				}
			}
			if _, err := s.Fetch(ctx, in, progress); err == nil {
				t.Fatal("no error")
			}
			again, err := Open(s.Dir())
			if err != nil {
				t.Fatal(err)
			}
			first := int64(-1)
			f, err := again.Fetch(context.Background(), in, func(done, _ int64) {
				if first < 0 {
					first = done
				}
			})
			if err != nil || f.SHA256 != digest(body) {
				t.Fatalf("%+v, %v", f, err)
			}
			if d := cmp.Diff([]string{"", `1000- if "1"`}, server.requests); d != "" || first <= 1000 {
				t.Errorf("progress began at %d; requests: -want +got\n%s", first, d)
			}
			left(t, s, digest(body))
		})
	}
}

// TestFetchCompletePart checks that a complete part, whose process was killed before
// the check, needs no server.
func TestFetchCompletePart(t *testing.T) {
	s, _ := withoutPauses(t)
	in := Input{URL: serve(t, http.NotFound), SHA256: digest(body)}
	path := filepath.Join(s.Dir(), "part", digest(body))
	for name, content := range map[string][]byte{path: body, path + ".json": fmt.Appendf(nil, `{"url":%q,"total":%d}`, in.URL, len(body))} {
		if err := os.WriteFile(name, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Fetch(context.Background(), in, nil); err != nil {
		t.Error(err)
	}
	left(t, s, digest(body))
}

// TestFetchOnAFullDisk checks that a full disk is reported at once, without another
// try or a mirror.
func TestFetchOnAFullDisk(t *testing.T) {
	s, pauses := withoutPauses(t)
	server := &script{answers: []answer{served(body, `"1"`)}}
	url := serve(t, server.ServeHTTP)
	s.lock = func(string) (*os.File, error) { return os.OpenFile("/dev/full", os.O_RDWR, 0) }
	_, err := s.Fetch(context.Background(), Input{URL: url, Mirrors: []string{url + "2"}, SHA256: digest(body)}, nil)
	if err == nil || !strings.HasSuffix(err.Error(), "no space left on device") || len(server.requests) != 1 || len(*pauses) != 0 {
		t.Errorf("got %v, %d requests", err, len(server.requests))
	}
	left(t, s)
}
