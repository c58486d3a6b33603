package fetch

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func seconds(n ...int) []time.Duration {
	var all []time.Duration
	for _, s := range n {
		all = append(all, time.Duration(s)*time.Second)
	}
	return all
}

func TestFetchRetries(t *testing.T) {
	complete := served(body, `"1"`)
	drop := func(http.ResponseWriter, *http.Request, int) { panic(http.ErrAbortHandler) }
	const date = "Mon, 20 Jan 2014 12:00:00 GMT"
	tests := map[string]struct {
		answers []answer
		pauses  []time.Duration
		want    string // of the error
	}{
		"at once":          {[]answer{complete}, nil, ""},
		"dropped":          {[]answer{drop, drop, drop, complete}, seconds(1, 2, 4), ""},
		"dropped for good": {[]answer{drop}, seconds(1, 2, 4), "fetching URL: EOF, in 4 tries"},
		"503":              {[]answer{status(503), complete}, seconds(1), ""},
		"500 for good":     {[]answer{status(500)}, seconds(1, 2, 4), "fetching URL: the server answers 500 Internal Server Error, in 4 tries"},
		"429":              {[]answer{status(429, "Retry-After", "7"), status(429, "Retry-After", "0"), complete}, seconds(7, 2), ""},
		"429 by date":      {[]answer{status(429, "Date", date, "Retry-After", "Mon, 20 Jan 2014 12:00:30 GMT"), complete}, seconds(30), ""},
		"429 in the past":  {[]answer{status(429, "Date", date, "Retry-After", "Mon, 20 Jan 2014 11:00:00 GMT"), complete}, seconds(1), ""},
		"429, invalid":     {[]answer{status(429, "Retry-After", "soon"), complete}, seconds(1), ""},
		"429 for an hour": {[]answer{status(429, "Retry-After", "3600")}, nil,
			"fetching URL: the server answers 429 Too Many Requests and wants to be asked again in 1h0m0s"},
		"404":          {[]answer{status(404)}, nil, "fetching URL: the server answers 404 Not Found"},
		"403":          {[]answer{status(403)}, nil, "fetching URL: the server answers 403 Forbidden"},
		"503 then 404": {[]answer{status(503), status(404)}, seconds(1), "fetching URL: the server answers 404 Not Found, in 2 tries"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s, pauses := withoutPauses(t)
			server := &script{answers: test.answers}
			url := serve(t, server.ServeHTTP)
			var warnings []string
			_, err := s.Fetch(context.Background(), Input{URL: url, SHA256: digest(body), Warn: func(w string) { warnings = append(warnings, w) }}, nil)
			got := ""
			if err != nil {
				got = strings.ReplaceAll(err.Error(), url, "URL")
			}
			if got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if d := cmp.Diff(test.pauses, *pauses); d != "" {
				t.Errorf("pauses: -want +got\n%s", d)
			}
			for i, pause := range test.pauses {
				if !strings.HasPrefix(warnings[i], url+": ") || !strings.HasSuffix(warnings[i], "; again in "+pause.String()) {
					t.Errorf("warnings %q", warnings[i])
				}
			}
		})
	}
}

// TestFetchContinuesWithProgress checks that tries with progress are not counted.
func TestFetchContinuesWithProgress(t *testing.T) {
	large := bytes.Repeat(body, 40) // 12 MB
	var answers []answer
	for end := 2 * minProgress; end < len(large); end += 2 * minProgress {
		answers = append(answers, upTo(large, `"1"`, end))
	}
	s, pauses := withoutPauses(t)
	server := &script{answers: append(answers, served(large, `"1"`))}
	if _, err := s.Fetch(context.Background(), Input{URL: serve(t, server.ServeHTTP), SHA256: digest(large)}, nil); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(seconds(1, 1, 1, 1, 1), *pauses); d != "" {
		t.Errorf("pauses: -want +got\n%s", d)
	}
}

func TestFetchNoticesAStall(t *testing.T) {
	s, pauses := withoutPauses(t)
	s.stall = 500 * time.Millisecond
	server := &script{answers: []answer{
		func(w http.ResponseWriter, r *http.Request, start int) {
			defer func() { recover(); <-r.Context().Done() }()
			upTo(body, `"1"`, 1000)(w, r, start)
		},
		served(body, `"1"`),
	}}
	var warnings []string
	url := serve(t, server.ServeHTTP)
	_, err := s.Fetch(context.Background(), Input{URL: url, SHA256: digest(body), Warn: func(w string) { warnings = append(warnings, w) }}, nil)
	if err != nil || len(*pauses) != 1 {
		t.Fatalf("%v, %d pauses", err, len(*pauses))
	}
	if d := cmp.Diff([]string{url + ": the server sent nothing for 500ms; again in 1s"}, warnings); d != "" {
		t.Errorf("warnings: -want +got\n%s", d)
	}
}

// TestFetchUnknownCertificate checks that an unknown certificate is reported without
// another try, and with the URL once.
func TestFetchUnknownCertificate(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	s, pauses := withoutPauses(t)
	url := server.URL + "/k.src.rpm"
	_, err := s.Fetch(context.Background(), Input{URL: url, SHA256: digest(body)}, nil)
	if err == nil || len(*pauses) > 0 || !strings.HasPrefix(err.Error(), "fetching "+url+": tls: ") || strings.Count(err.Error(), url) != 1 {
		t.Errorf("%v, %d pauses", err, len(*pauses))
	}
}

func TestRetryPause(t *testing.T) {
	for name, test := range map[string]struct {
		err   error
		try   int
		pause time.Duration
		again bool
	}{
		"network":        {io.ErrUnexpectedEOF, 3, 4 * time.Second, true},
		"last try":       {io.ErrUnexpectedEOF, 4, 0, false},
		"no such host":   {&net.DNSError{IsNotFound: true}, 1, 0, false},
		"no name server": {&net.DNSError{IsTemporary: true}, 1, time.Second, true},
		"408":            {&StatusError{Code: 408}, 2, 2 * time.Second, true},
		"longest wait":   {&StatusError{Code: 503, RetryAfter: time.Minute}, 1, time.Minute, true},
		"410":            {&StatusError{Code: 410}, 1, time.Second, false},
	} {
		if pause, again := retryPause(test.err, test.try); again != test.again || again && pause != test.pause {
			t.Errorf("%s: %v, %v", name, pause, again)
		}
	}
}

func TestSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		if err := sleep(context.Background(), 4*time.Second); err != nil || time.Since(start) != 4*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		broken := errors.New("broken")
		ctx, cancel := context.WithCancelCause(context.Background())
		go func() { time.Sleep(time.Second); cancel(broken) }()
		if err := sleep(ctx, time.Hour); err != broken || time.Since(start) != 5*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}
