package engine

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"
)

// Relay is a program that runs in a container beside its main process and relays
// requests to the driver: each line that it writes is a request, and each line
// that it reads an answer.
type Relay struct {
	// Command is the program with its arguments. It runs as the container's user,
	// with the container's environment.
	Command []string
	// Answer returns the answer to a request, both without the end of the line.
	// Its calls do not overlap.
	Answer func(line string) string
}

// relayGrace is how long the main process may run after the relay has ended. At
// the end of a container both end, in any order.
const relayGrace = 5 * time.Second

// startRelay starts the relay of a main process that has just started, and calls
// lost if the relay ends before it. The caller calls end when the main process
// has ended.
func (c *Container) startRelay(ctx context.Context, lost func(error)) (end func(), err error) {
	if c.spec.Relay == nil {
		return func() {}, nil
	}
	stream, err := c.exec(ctx, c.spec.Relay.Command)
	if err != nil && c.endsSoon(ctx) { // in a container that has ended nothing can be started
		return func() {}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("running %s in the container: %w", c.spec.Relay.Command[0], err)
	}
	ended := make(chan struct{})
	go func() {
		err := answerLines(stream, c.spec.Relay.Answer)
		select {
		case <-ended:
		case <-time.After(relayGrace):
			lost(fmt.Errorf("running %s in the container: %w", c.spec.Relay.Command[0], err))
		}
	}()
	return func() { close(ended); stream.Close() }, nil
}

// endsSoon reports whether the main process ends within relayGrace.
func (c *Container) endsSoon(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, relayGrace)
	defer cancel()
	ended, failed := c.engine.client.ContainerWait(ctx, c.id, container.WaitConditionNotRunning)
	select {
	case <-ended:
		return true
	case <-failed:
		return false
	}
}

func (c *Container) exec(ctx context.Context, command []string) (types.HijackedResponse, error) {
	made, err := c.engine.client.ContainerExecCreate(ctx, c.id, container.ExecOptions{
		Cmd: command, AttachStdin: true, AttachStdout: true, AttachStderr: true,
	})
	if err != nil {
		return types.HijackedResponse{}, err
	}
	return c.engine.client.ContainerExecAttach(ctx, made.ID, container.ExecAttachOptions{})
}

// answerLines answers lines until there are no more. That is an error, too, and
// ends with the end of the program's standard error.
func answerLines(stream types.HijackedResponse, answer func(string) string) error {
	stderr := &tail{}
	r, w := io.Pipe()
	go func() {
		_, err := stdcopy.StdCopy(w, stderr, stream.Reader)
		w.CloseWithError(err) // nil means EOF
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
		err = errors.New(strings.TrimSpace("it ended too early " + stderr.String()))
	}
	return err
}
