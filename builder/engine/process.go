package engine

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"
)

// process is a started container that this process holds by its stdin.
type process struct {
	stream types.HijackedResponse
	forget context.CancelFunc
	// exited gets one value when the container has ended, or when there is no
	// more telling.
	exited chan ended
	// drained gets one value when all output was written, or could not be.
	drained chan error
	// tail is the end of the output of a helper.
	tail *tail
}

type ended struct {
	code int
	err  error
}

// launch attaches to a created container and starts it, in this order, so that
// no byte of its output is lost. Its stdout and stderr go to log in the order
// they come; with no log their end is kept. The caller calls release.
func (e *Engine) launch(ctx context.Context, id string, log io.Writer) (*process, error) {
	stream, err := e.client.ContainerAttach(ctx, id, container.AttachOptions{Stream: true, Stdin: true, Stdout: true, Stderr: true})
	if err != nil {
		return nil, fmt.Errorf("attaching: %w", err)
	}
	alive, forget := context.WithCancel(context.WithoutCancel(ctx))
	p := &process{stream: stream, forget: forget, exited: make(chan ended, 1), drained: make(chan error, 1), tail: &tail{}}
	if log == nil {
		log = p.tail
	}
	codes, failures := e.client.ContainerWait(alive, id, container.WaitConditionNextExit)
	go func() { p.exited <- await(codes, failures) }()
	go func() {
		_, err := stdcopy.StdCopy(log, log, stream.Reader)
		p.drained <- err
	}()
	request, cancel := whole(ctx)
	defer cancel()
	if err := e.client.ContainerStart(request, id, container.StartOptions{}); err != nil {
		p.release()
		<-p.drained
		return nil, fmt.Errorf("starting: %w", err)
	}
	return p, nil
}

func await(codes <-chan container.WaitResponse, failures <-chan error) ended {
	select {
	case r := <-codes:
		if r.Error != nil {
			return ended{err: fmt.Errorf("waiting: %s", r.Error.Message)}
		}
		return ended{code: int(r.StatusCode)}
	case err := <-failures:
		return ended{err: fmt.Errorf("waiting: %w", err)}
	}
}

// release lets go of the container: its stdin ends, its output is no longer
// read.
func (p *process) release() {
	p.stream.Close()
	p.forget()
}

// tail keeps the last bytes that were written to it.
type tail struct {
	mu   sync.Mutex
	data []byte
}

func (t *tail) Write(data []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.data = append(t.data, data...)
	t.data = t.data[max(0, len(t.data)-1024):]
	return len(data), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.data)
}
