package fetch

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFetchFromMirrors(t *testing.T) {
	complete := served(body, `"1"`)
	tests := map[string]struct {
		servers  [][]answer
		requests [][]string
		warnings []string
		want     string // of the error
	}{
		"first":  {[][]answer{{complete}, {complete}}, [][]string{{""}, nil}, nil, ""},
		"second": {[][]answer{{status(404)}, {complete}, {complete}}, [][]string{{""}, {""}, nil}, []string{"URL0: the server answers 404 Not Found; trying URL1"}, ""},
		"continues the download of another": {
			[][]answer{{upTo(body, `"1"`, 1000), status(404)}, {served(body, `"a"`)}}, [][]string{{"", `1000- if "1"`}, {"1000-"}},
			[]string{"URL0: broken off after 1000 of 300000 bytes: unexpected EOF; again in 1s",
				"URL0: the server answers 404 Not Found, in 2 tries; trying URL1"}, ""},
		"wrong file": {
			[][]answer{{served(other, `"1"`)}, {complete}}, [][]string{{""}, {""}},
			[]string{"URL0: sha256 got " + digest(other) + ", want " + digest(body) + "; trying URL1"}, ""},
		"none": {
			[][]answer{{status(404)}, {served(other, `"1"`)}, {status(403)}}, [][]string{{""}, {""}, {""}},
			[]string{"URL0: the server answers 404 Not Found; trying URL1", "URL1: sha256 got " + digest(other) + ", want " + digest(body) + "; trying URL2"},
			"fetching URL0: the server answers 404 Not Found; URL1: sha256 got " + digest(other) + ", want " + digest(body) + "; URL2: the server answers 403 Forbidden"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s, _ := withoutPauses(t)
			var scripts []*script
			var urls, names []string
			for i, answers := range test.servers {
				scripts = append(scripts, &script{answers: answers})
				urls = append(urls, serve(t, scripts[i].ServeHTTP))
				names = append(names, urls[i], "URL"+string(rune('0'+i)))
			}
			short := strings.NewReplacer(names...).Replace
			var warnings []string
			in := Input{URL: urls[0], Mirrors: urls[1:], SHA256: digest(body), Warn: func(w string) { warnings = append(warnings, short(w)) }}
			_, err := s.Fetch(context.Background(), in, nil)
			if got := errorText(err); short(got) != test.want {
				t.Errorf("got  %s\nwant %s", short(got), test.want)
			}
			if strings.Contains(test.want, "sha256") && !errors.As(err, new(*DigestError)) {
				t.Error("the error does not hold the DigestError")
			}
			for i, want := range test.requests {
				if d := cmp.Diff(want, scripts[i].requests); d != "" {
					t.Errorf("requests to server %d: -want +got\n%s", i, d)
				}
			}
			if d := cmp.Diff(test.warnings, warnings); d != "" {
				t.Errorf("warnings: -want +got\n%s", d)
			}
			left(t, s, digest(body))
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestFetchDropsPartsOfOthers checks that without a digest each URL has a part of
// its own, and that the others' parts are removed when one URL has the file.
func TestFetchDropsPartsOfOthers(t *testing.T) {
	s, _ := withoutPauses(t)
	first := &script{answers: []answer{upTo(body, `"1"`, 1000), status(404)}}
	second := &script{answers: []answer{served(body, `"1"`)}}
	in := Input{URL: serve(t, first.ServeHTTP), Mirrors: []string{serve(t, second.ServeHTTP)}, Verify: func(io.Reader) error { return nil }}
	if _, err := s.Fetch(context.Background(), in, nil); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{""}, second.requests); d != "" {
		t.Errorf("requests to the mirror: -want +got\n%s", d)
	}
	left(t, s, digest(body))
}

func TestFetchOffline(t *testing.T) {
	s := open(t)
	server := &script{answers: []answer{served(body, `"1"`)}}
	in := Input{URL: serve(t, server.ServeHTTP), SHA256: digest(body), Offline: true}
	in.Mirrors = []string{in.URL + "2"}
	_, err := s.Fetch(context.Background(), in, nil)
	if !errors.As(err, new(*OfflineError)) || err.Error() != in.URL+" is not in the store, and this run is offline" || len(server.requests) > 0 {
		t.Errorf("got %v, %d requests", err, len(server.requests))
	}
	in.Offline = false
	if _, err := s.Fetch(context.Background(), in, nil); err != nil {
		t.Fatal(err)
	}
	in.Offline = true
	if f, err := s.Fetch(context.Background(), in, nil); err != nil || !f.Cached || len(server.requests) != 1 {
		t.Errorf("%+v, %v, %d requests", f, err, len(server.requests))
	}
}

// TestFetchWaives checks that a file that is refused is taken under its own digest
// if Waive says so, and that a later run without Waive does not get it.
func TestFetchWaives(t *testing.T) {
	refused, damaged := errors.New("not signed"), errors.New("damaged")
	no := func(io.Reader) error { return refused }
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(other) }))
	defer server.Close()
	wrong := "sha256 got " + digest(other) + ", want " + digest(body)
	for name, test := range map[string]struct {
		in     Input
		waived string
	}{
		"digest":            {Input{SHA256: digest(body)}, wrong},
		"verify":            {Input{Verify: no}, "not signed"},
		"digest and verify": {Input{SHA256: digest(body), Verify: no}, wrong + " (not signed)"},
		"nothing":           {Input{SHA256: digest(other)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, in := open(t), test.in
			in.URL = server.URL + "/k.src.rpm"
			in.Waive = func(io.Reader, error) error { return damaged }
			if _, err := s.Fetch(context.Background(), in, nil); errors.Is(err, damaged) != (test.waived != "") {
				t.Errorf("not waived: %v", err)
			}
			in.Waive = func(r io.Reader, _ error) error {
				if got, _ := io.ReadAll(r); string(got) != string(other) {
					t.Errorf("Waive got %d other bytes", len(got))
				}
				return nil
			}
			for i, offline := range []bool{false, true} {
				in.Offline = offline
				f, err := s.Fetch(context.Background(), in, nil)
				if err != nil || f.SHA256 != digest(other) || f.Waived != test.waived || !f.Cached && i == 1 {
					t.Errorf("%+v, %v", f, err)
				}
			}
			in.Waive = nil
			if _, err := s.Fetch(context.Background(), in, nil); (err != nil) != (test.waived != "") {
				t.Errorf("without Waive: %v", err)
			}
			if _, err := os.Stat(s.path(digest(other))); err != nil {
				t.Error(err)
			}
		})
	}
}
