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

// process is a started container to whose streams we are attached.
type process struct {
	stream     types.HijackedResponse
	cancelWait context.CancelFunc
	// exited receives one value when the container has ended, or when the engine no
	// longer tells.
	exited chan exitResult
	// drained receives one value when all output is written, or cannot be.
	drained chan error
	// tail is the end of the output if launch got no log.
	tail *tail
}

// exitResult is how a container ended; err says why that is not known.
type exitResult struct {
	code int
	err  error
}

// launch attaches to a container and then starts it, in this order, so that no
// output is lost. Its stdout and stderr go to log in the order in which they come;
// if log is nil, their end is kept in tail. The caller calls release.
func (e *Engine) launch(ctx context.Context, id string, log io.Writer) (*process, error) {
	stream, err := e.client.ContainerAttach(ctx, id, container.AttachOptions{Stream: true, Stdin: true, Stdout: true, Stderr: true})
	if err != nil {
		return nil, fmt.Errorf("attaching: %w", err)
	}
	alive, cancelWait := context.WithCancel(context.WithoutCancel(ctx))
	p := &process{stream: stream, cancelWait: cancelWait, exited: make(chan exitResult, 1), drained: make(chan error, 1), tail: &tail{}}
	if log == nil {
		log = p.tail
	}
	codes, failures := e.client.ContainerWait(alive, id, container.WaitConditionNextExit)
	go func() { p.exited <- await(codes, failures) }()
	go func() {
		_, err := stdcopy.StdCopy(log, log, stream.Reader)
		p.drained <- err
	}()
	request, cancel := uncancelable(ctx)
	defer cancel()
	if err := e.client.ContainerStart(request, id, container.StartOptions{}); err != nil {
		p.release()
		<-p.drained
		return nil, fmt.Errorf("starting: %w", err)
	}
	return p, nil
}

func await(codes <-chan container.WaitResponse, failures <-chan error) exitResult {
	select {
	case r := <-codes:
		if r.Error != nil {
			return exitResult{err: fmt.Errorf("waiting: %s", r.Error.Message)}
		}
		return exitResult{code: int(r.StatusCode)}
	case err := <-failures:
		return exitResult{err: fmt.Errorf("waiting: %w", err)}
	}
}

// release detaches from the container: its stdin ends, and its output is no
// longer read.
func (p *process) release() {
	p.stream.Close()
	p.cancelWait()
}

// tail keeps the last 1024 bytes that are written to it.
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
