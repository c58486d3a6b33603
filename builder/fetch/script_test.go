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

// answer is a server's answer to one request for a file.
type answer func(w http.ResponseWriter, r *http.Request, start int)

// script answers each request with the next answer, the last one again and
// again, and notes what was asked.
type script struct {
	answers []answer
	mu      sync.Mutex
	asked   []string
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	text, found := strings.CutPrefix(r.Header.Get("Range"), "bytes=")
	start, _ := strconv.Atoi(strings.TrimSuffix(text, "-"))
	if tag := r.Header.Get("If-Range"); found && tag != "" {
		text += " if " + tag
	}
	next := s.answers[min(len(s.asked), len(s.answers)-1)]
	s.asked = append(s.asked, text)
	s.mu.Unlock()
	next(w, r, start)
}

// upTo sends data from where it is asked for up to end, and breaks off there
// when that is not the end of data.
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

// exact is an answer with these headers and this body and no length.
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

// served is what net/http makes of the request: ranges and If-Range by the book.
func served(data []byte, tag string) answer {
	return func(w http.ResponseWriter, r *http.Request, _ int) {
		w.Header().Set("ETag", tag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	}
}

// status answers with a code and headers by name and value.
func status(code int, headers ...string) answer {
	return func(w http.ResponseWriter, _ *http.Request, _ int) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
	}
}

// patient is a store that notes its pauses and takes none.
func patient(t *testing.T) (*Store, *[]time.Duration) {
	s := open(t)
	var pauses []time.Duration
	s.pause = func(ctx context.Context, d time.Duration) error {
		pauses = append(pauses, d)
		return ctx.Err()
	}
	return s, &pauses
}

// cutChunks sends data without a length and breaks off.
func cutChunks(data []byte) answer {
	return func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.(http.Flusher).Flush()
		w.Write(data)
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
}

// other is as long as body and another file.
var other = bytes.Repeat([]byte("KERNEL"), 50_000)

func flipped(at int) []byte {
	data := bytes.Clone(body)
	data[at] ^= 1
	return data
}
