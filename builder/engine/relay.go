package engine

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"
)

// Aside is a program that runs in a container beside its main process and asks
// the driver things: a line it writes is a question, a line it reads an answer.
type Aside struct {
	// Command is the program, as the container's user, with its environment.
	Command []string
	// Answer gives the answer to a line, both without the line's end. Calls do
	// not overlap.
	Answer func(line string) string
}

// asideGrace is how long the main process may outlive the program beside it: at
// the end of a container both end, in any order.
const asideGrace = 5 * time.Second

// serve starts the program beside the main process that has just started, and
// calls lost when it ends before that. The caller calls end when the main
// process is over.
func (c *Container) serve(ctx context.Context, lost func(error)) (end func(), err error) {
	if c.spec.Aside == nil {
		return func() {}, nil
	}
	stream, err := c.execute(ctx, c.spec.Aside.Command)
	if err != nil && c.over(ctx) { // already, and then nothing can be started beside it
		return func() {}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("running %s in the container: %w", c.spec.Aside.Command[0], err)
	}
	over := make(chan struct{})
	go func() {
		err := converse(stream, c.spec.Aside.Answer)
		select {
		case <-over:
		case <-time.After(asideGrace):
			lost(fmt.Errorf("running %s in the container: %w", c.spec.Aside.Command[0], err))
		}
	}()
	return func() { close(over); stream.Close() }, nil
}

// over tells whether the main process ends within the grace.
func (c *Container) over(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, asideGrace)
	defer cancel()
	ended, failed := c.engine.client.ContainerWait(ctx, c.id, container.WaitConditionNotRunning)
	select {
	case <-ended:
		return true
	case <-failed:
		return false
	}
}

func (c *Container) execute(ctx context.Context, command []string) (types.HijackedResponse, error) {
	made, err := c.engine.client.ContainerExecCreate(ctx, c.id, container.ExecOptions{
		Cmd: command, AttachStdin: true, AttachStdout: true, AttachStderr: true,
	})
	if err != nil {
		return types.HijackedResponse{}, err
	}
	return c.engine.client.ContainerExecAttach(ctx, made.ID, container.ExecAttachOptions{})
}

// converse answers lines until there are no more; that is an error, with the
// last that the program said on its standard error.
func converse(stream types.HijackedResponse, answer func(string) string) error {
	said := &tail{}
	r, w := io.Pipe()
	go func() {
		_, err := stdcopy.StdCopy(w, said, stream.Reader)
		w.CloseWithError(err) // nil is EOF
	}()
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if _, err := io.WriteString(stream.Conn, answer(lines.Text())+"\n"); err != nil {
			r.CloseWithError(err)
			return err
		}
	}
	err := lines.Err()
	r.CloseWithError(io.ErrClosedPipe)
	if err == nil {
		err = errors.New("it ended too early " + said.String())
	}
	return err
}
