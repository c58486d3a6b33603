package fetch

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestMain makes the test binary, if FETCH_TEST_URL is set, a process that fetches
// that URL and that a test can kill.
func TestMain(m *testing.M) {
	url := os.Getenv("FETCH_TEST_URL")
	if url == "" {
		os.Exit(m.Run())
	}
	s, err := Open(os.Getenv("FETCH_TEST_STORE"))
	if err == nil {
		_, err = s.Fetch(context.Background(), Input{URL: url, SHA256: digest(body)}, func(done, _ int64) { fmt.Println(done) })
	}
	fmt.Println("over:", err)
}

func TestFetchAfterKill(t *testing.T) {
	s := open(t)
	server := &script{answers: []answer{
		func(w http.ResponseWriter, r *http.Request, start int) {
			defer func() { recover(); <-r.Context().Done() }()
			upTo(body, `"1"`, 1000)(w, r, start)
		},
		served(body, `"1"`),
	}}
	url := serve(t, server.ServeHTTP)
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), "FETCH_TEST_URL="+url, "FETCH_TEST_STORE="+s.Dir())
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan() && lines.Text() != "1000"; {
		if strings.HasPrefix(lines.Text(), "over") {
			t.Fatal(lines.Text())
		}
	}
	waitFor(t, s.partPath(digest(body)), 1000)
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	c.Wait()
	again, err := Open(s.Dir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.Fetch(context.Background(), Input{URL: url, SHA256: digest(body)}, nil); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"", `1000- if "1"`}, server.requests); d != "" {
		t.Errorf("requests: -want +got\n%s", d)
	}
	left(t, s, digest(body))
}

// waitFor waits until a file has a size, because progress is reported before bytes
// are written.
func waitFor(t *testing.T, path string, size int64) {
	t.Helper()
	for range 1000 {
		if info, err := os.Stat(path); err == nil && info.Size() == size {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("%s has not reached %d bytes", path, size)
}

// TestSameFile checks that a file that was moved away or replaced is not the part.
func TestSameFile(t *testing.T) {
	path := open(t).partPath("x")
	f, err := lockPart(path)
	if err != nil || f == nil {
		t.Fatal(f, err)
	}
	defer f.Close()
	if busy, err := lockPart(path); busy != nil || err != nil {
		t.Errorf("locked twice: %v", err)
	}
	if !sameFile(f, path) {
		t.Error("the open file is not found at its path")
	}
	if err := os.Rename(path, path+"2"); err != nil {
		t.Fatal(err)
	}
	if sameFile(f, path) {
		t.Error("true after the file was moved away")
	}
	other, err := lockPart(path)
	if err != nil || other == nil || sameFile(f, path) {
		t.Error("true after the file was replaced", err)
	}
	other.Close()
}

// TestFetchByTwo checks that two processes that want the same file fetch it once.
func TestFetchByTwo(t *testing.T) {
	first, second := open(t), (*Store)(nil)
	var hits atomic.Int32
	waiting := make(chan struct{})
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		hits.Add(1)
		<-waiting
		w.Write(body)
	})
	second, err := Open(first.Dir())
	if err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	pause := func(ctx context.Context, _ time.Duration) error {
		once.Do(func() { close(waiting) })
		return sleep(ctx, time.Millisecond)
	}
	first.pause, second.pause = pause, pause
	var warnings atomic.Int32
	in := Input{URL: url, SHA256: digest(body), Warn: func(string) { warnings.Add(1) }}
	var all sync.WaitGroup
	for _, s := range []*Store{first, second} {
		all.Go(func() {
			f, err := s.Fetch(context.Background(), in, nil)
			if err != nil {
				t.Error(err)
			} else if got, _ := os.ReadFile(f.Path); !bytes.Equal(got, body) {
				t.Errorf("%d bytes", len(got))
			}
		})
	}
	all.Wait()
	if hits.Load() != 1 || warnings.Load() != 1 {
		t.Errorf("%d requests, %d warnings", hits.Load(), warnings.Load())
	}
	left(t, first, digest(body))
}
