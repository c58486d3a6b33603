package fetch

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// answer answers one request for a file.
type answer func(w http.ResponseWriter, r *http.Request, start int)

// script answers each request with the next answer, and with the last one from
// then on. It records the ranges that were requested.
type script struct {
	answers  []answer
	mu       sync.Mutex
	requests []string
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	text, found := strings.CutPrefix(r.Header.Get("Range"), "bytes=")
	start, _ := strconv.Atoi(strings.TrimSuffix(text, "-"))
	if tag := r.Header.Get("If-Range"); found && tag != "" {
		text += " if " + tag
	}
	next := s.answers[min(len(s.requests), len(s.answers)-1)]
	s.requests = append(s.requests, text)
	s.mu.Unlock()
	next(w, r, start)
}

// upTo sends data from the requested start up to end, and closes the connection
// there if that is not the end of data.
func upTo(data []byte, tag string, end int) answer {
	return func(w http.ResponseWriter, _ *http.Request, start int) {
		w.Header().Set("ETag", tag)
		w.Header().Set("Content-Length", fmt.Sprint(len(data)-start))
		if start > 0 {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", start, len(data)-1, len(data)))
			w.WriteHeader(http.StatusPartialContent)
		}
		w.Write(data[start:end])
		w.(http.Flusher).Flush()
		if end < len(data) {
			panic(http.ErrAbortHandler)
		}
	}
}

// exact sends these headers and this body, without a length.
func exact(code int, contentRange string, data []byte) answer {
	return func(w http.ResponseWriter, _ *http.Request, _ int) {
		if contentRange != "" {
			w.Header().Set("Content-Range", contentRange)
		}
		w.WriteHeader(code)
		w.(http.Flusher).Flush()
		w.Write(data)
	}
}

// served answers as net/http does, which implements ranges and If-Range.
func served(data []byte, tag string) answer {
	return func(w http.ResponseWriter, r *http.Request, _ int) {
		w.Header().Set("ETag", tag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	}
}

// status sends a status code and headers, given as names and values.
func status(code int, headers ...string) answer {
	return func(w http.ResponseWriter, _ *http.Request, _ int) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
	}
}

// withoutPauses returns a store that records its pauses and does not wait.
func withoutPauses(t *testing.T) (*Store, *[]time.Duration) {
	s := open(t)
	var pauses []time.Duration
	s.pause = func(ctx context.Context, d time.Duration) error {
		pauses = append(pauses, d)
		return ctx.Err()
	}
	return s, &pauses
}

// cutChunks sends data without a length and closes the connection.
func cutChunks(data []byte) answer {
	return func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.(http.Flusher).Flush()
		w.Write(data)
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
}

// other is another file of the length of body.
var other = bytes.Repeat([]byte("KERNEL"), 50_000)

func flipped(at int) []byte {
	data := bytes.Clone(body)
	data[at] ^= 1
	return data
}
