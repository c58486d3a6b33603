package fetch

import (
	"context"
	"errors"
	"net/http"
	"os"
	"testing"
)

// TestFetchMaxSize checks that a file that is too large is refused without another
// try, that nothing of it stays, and that one of just the limit is taken.
func TestFetchMaxSize(t *testing.T) {
	size := int64(len(body))
	unannounced := exact(http.StatusOK, "", body)
	endless := func(w http.ResponseWriter, _ *http.Request, _ int) {
		for {
			if _, err := w.Write(body); err != nil {
				return
			}
		}
	}
	for name, test := range map[string]struct {
		max     int64
		answers []answer
		want    *TooLargeError
		text    string
	}{
		"announced, just the limit":   {max: size, answers: []answer{served(body, "")}},
		"unannounced, just the limit": {max: size, answers: []answer{unannounced}},
		"announced": {size - 1, []answer{served(body, "")}, &TooLargeError{size, size - 1},
			"the server's file has 300000 bytes, want at most 299999"},
		"unannounced": {size - 1, []answer{unannounced}, &TooLargeError{0, size - 1},
			"the server sends more than 299999 bytes, the most that is taken"},
		"endless": {1000, []answer{endless}, &TooLargeError{0, 1000},
			"the server sends more than 1000 bytes, the most that is taken"},
		"grown while resuming": {size - 1, []answer{cutChunks(body[:1000]), upTo(body, "", len(body))}, &TooLargeError{size, size - 1},
			"the server's file has 300000 bytes, want at most 299999"},
		"unannounced after a cut": {2000, []answer{cutChunks(body[:1000]), unannounced}, &TooLargeError{0, 2000},
			"the server sends more than 2000 bytes, the most that is taken"},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := withoutPauses(t)
			server := &script{answers: test.answers}
			url := serve(t, server.ServeHTTP)
			_, err := s.Fetch(context.Background(), Input{URL: url, SHA256: digest(body), MaxSize: test.max}, nil)
			if test.want == nil {
				if err != nil {
					t.Error(err)
				}
				left(t, s, digest(body))
				return
			}
			if got := (*TooLargeError)(nil); !errors.As(err, &got) || *got != *test.want || err.Error() != "fetching "+url+": "+test.text && len(test.answers) == 1 {
				t.Errorf("got %v, want %q", err, test.text)
			}
			if len(server.requests) != len(test.answers) {
				t.Errorf("got %d requests, want %d", len(server.requests), len(test.answers))
			}
			left(t, s)
		})
	}
}

// TestFetchDropsALargePart checks that a part that has more than the limit is not
// continued.
func TestFetchDropsALargePart(t *testing.T) {
	s, _ := withoutPauses(t)
	if err := os.WriteFile(s.partPath(digest(body)), make([]byte, 400_000), 0o666); err != nil {
		t.Fatal(err)
	}
	server := &script{answers: []answer{served(body, "")}}
	_, err := s.Fetch(context.Background(), Input{URL: serve(t, server.ServeHTTP), SHA256: digest(body), MaxSize: 300_000}, nil)
	if err != nil || server.requests[0] != "" {
		t.Errorf("%v, requests %q", err, server.requests)
	}
}
