package engine

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/moby/buildkit/client"
	"github.com/opencontainers/go-digest"
)

// logTail is the number of bytes of a step's output kept for a BuildError.
const logTail = 8 << 10

// watch follows a build: it reports progress and keeps what an error will need.
type watch struct {
	image    string
	progress func(ImageProgress)
	steps    map[digest.Digest]*step
	failed   *step
}

type step struct {
	name        string
	transfers   map[string]transfer
	log         []byte
	begun, over bool
	fault       string
}

type transfer struct{ current, total int64 }

func newWatch(image string, progress func(ImageProgress)) *watch {
	if progress == nil {
		progress = func(ImageProgress) {}
	}
	return &watch{image: image, progress: progress, steps: map[digest.Digest]*step{}}
}

func (w *watch) step(id digest.Digest) *step {
	if w.steps[id] == nil {
		w.steps[id] = &step{transfers: map[string]transfer{}}
	}
	return w.steps[id]
}

func (w *watch) update(status *client.SolveStatus) {
	for _, v := range status.Vertexes {
		w.updateVertex(v)
	}
	for _, s := range status.Statuses {
		step := w.step(s.Vertex)
		step.transfers[s.ID] = transfer{s.Current, s.Total}
		current, total := step.bytes()
		w.progress(ImageProgress{Step: step.name, Current: current, Total: total})
	}
	for _, l := range status.Logs {
		step := w.step(l.Vertex)
		step.log = append(step.log, l.Data...)
		step.log = step.log[max(0, len(step.log)-logTail):]
		w.progress(ImageProgress{Step: step.name, Log: l.Data})
	}
}

func (w *watch) updateVertex(v *client.Vertex) {
	step := w.step(v.Digest)
	step.name = v.Name
	if v.Started != nil && !step.begun {
		step.begun = true
		w.progress(ImageProgress{Step: v.Name})
	}
	if v.Completed != nil && !step.over {
		step.over = true
		current, total := step.bytes()
		w.progress(ImageProgress{Step: v.Name, Current: current, Total: total, Done: true})
	}
	if v.Error != "" && !strings.Contains(v.Error, context.Canceled.Error()) {
		step.fault = v.Error
		w.failed = step
	}
}

// bytes returns the sum of a step's transfers, such as the layers of a pull.
func (s *step) bytes() (current, total int64) {
	for _, t := range s.transfers {
		current += t.current
		total += t.total
	}
	return current, total
}

var (
	exitCode = regexp.MustCompile(`exit code: (\d+)`)
	baseStep = regexp.MustCompile(`^\[internal\] load metadata for (\S+)|^\[[^]]*\] FROM (\S+)`)
)

// explain turns the error of a build into one that names the step that failed.
func (w *watch) explain(err error) error {
	if err == nil {
		return nil
	}
	if w.failed == nil {
		return fmt.Errorf("building image %s: %w", w.image, err)
	}
	fault := errors.New(w.failed.fault)
	if m := baseStep.FindStringSubmatch(w.failed.name); m != nil {
		return &BaseError{Image: w.image, Ref: m[1] + m[2], Err: fault}
	}
	code := -1
	if m := exitCode.FindStringSubmatch(w.failed.fault); m != nil {
		code, _ = strconv.Atoi(m[1])
	}
	return &BuildError{Image: w.image, Step: w.failed.name, Code: code, Log: string(w.failed.log), Err: fault}
}
