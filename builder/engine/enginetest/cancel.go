package enginetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"time"
)

// cancelCreate ends the context at many moments while a container is created.
func cancelCreate(t *testing.T, s Subject) {
	with := spec(t, s, "exit", "0")
	with.Entropy = true
	for _, after := range []time.Duration{0, 1, 20, 50, 100, 200, 400, 800, 1200} {
		ctx, cancel := context.WithTimeout(t.Context(), after*time.Millisecond)
		timed(t, func() {
			c, err := s.Engine.Create(ctx, with)
			if err == nil { // it was created before the context ended
				remove(t, c)
			} else if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("after %d ms: %v", after, err)
			}
		})
		cancel()
		if left := s.Left(t); len(left) > 0 {
			t.Fatalf("after %d ms left behind: %q", after, left)
		}
	}
}

// blocked is a reader that blocks after its data until the context ends.
type blocked struct {
	first io.Reader
	begun context.CancelFunc
	until context.Context
}

func (b blocked) Read(p []byte) (int, error) {
	n, err := b.first.Read(p)
	if n > 0 || !errors.Is(err, io.EOF) {
		return n, err
	}
	b.begun()
	<-b.until.Done()
	return 0, b.until.Err()
}

func cancelUpload(t *testing.T, s Subject) {
	c := create(t, s, "exit", "0")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	half := io.LimitReader(archive("in", string(make([]byte, 1<<20))), 1<<19)
	timed(t, func() {
		if err := c.Upload(ctx, blocked{half, cancel, ctx}); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
	timed(t, func() { remove(t, c) })
}

// once calls a function at every write.
type once struct {
	bytes.Buffer
	call func()
}

func (o *once) Write(p []byte) (int, error) {
	o.call()
	return o.Buffer.Write(p)
}

func cancelRun(t *testing.T, s Subject) {
	c := create(t, s, "wait")
	ctx, cancel := context.WithCancel(t.Context())
	log := &once{call: cancel}
	timed(t, func() {
		if exit, err := c.Run(ctx, log); !errors.Is(err, context.Canceled) {
			t.Errorf("got %+v, %v", exit, err)
		}
	})
	if log.String() != "waiting\n" {
		t.Errorf("got %q", log.String())
	}
	timed(t, func() { remove(t, c) })
}

// cancelFlood checks that a run ends within 5 s of a cancel if its program prints
// without end and ignores SIGTERM.
func cancelFlood(t *testing.T, s Subject) {
	c := create(t, s, "flood")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var late *time.Timer
	log := &flooded{enough: func() { late = time.NewTimer(5 * time.Second); cancel() }}
	if exit, err := c.Run(ctx, log); !errors.Is(err, context.Canceled) {
		t.Errorf("got %+v, %v", exit, err)
	}
	select {
	case <-late.C:
		t.Error("the run has ended more than 5 s after the cancel")
	default:
	}
	timed(t, func() { remove(t, c) })
}

// flooded is a log that calls a function when it has 8 MiB.
type flooded struct {
	n      int
	enough func()
}

func (f *flooded) Write(p []byte) (int, error) {
	const limit = 8 << 20
	if f.n < limit && f.n+len(p) >= limit {
		f.enough()
	}
	f.n += len(p)
	return len(p), nil
}

func cancelExport(t *testing.T, s Subject) {
	c := create(t, s, "copy", "in", "out")
	if err := c.Upload(t.Context(), archive("in", string(make([]byte, 32<<20)))); err != nil {
		t.Fatal(err)
	}
	if exit, err := c.Run(t.Context(), io.Discard); err != nil || exit.Code != 0 {
		t.Fatalf("got %+v, %v", exit, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	out, err := c.Export(ctx, "out")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, 4096)); err != nil {
		t.Fatal(err)
	}
	cancel()
	timed(t, func() {
		if _, err := io.Copy(io.Discard, out); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
	out.Close()
	if _, err := c.Export(ctx, "out"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	timed(t, func() { remove(t, c) })
}
