package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// UnreachableError says that no engine answered at Host.
type UnreachableError struct {
	Host string
	// Denied: the socket is there and this user may not open it.
	Denied bool
	Err    error
}

func (e *UnreachableError) Error() string {
	reason := strings.Join(strings.Fields(e.Err.Error()), " ")
	switch {
	case e.Denied:
		reason = "permission denied"
	case strings.HasPrefix(reason, "Cannot connect to"): // the client names the host again, and no reason
		reason = "nothing answers there"
	}
	return fmt.Sprintf("connecting to the engine at %s: %s", e.Host, reason)
}

func (e *UnreachableError) Unwrap() error { return e.Err }

func unreachable(host string, err error) error {
	return &UnreachableError{Host: host, Denied: errors.Is(err, fs.ErrPermission), Err: err}
}

// TooOldError says that the engine speaks no API this package knows.
type TooOldError struct {
	Host, Version, APIVersion string
}

func (e *TooOldError) Error() string {
	return fmt.Sprintf("connecting to the engine at %s: engine %s speaks API %s, want %s (engine 20.10) or later",
		e.Host, e.Version, e.APIVersion, minAPI)
}

// BuildError says which step of a Dockerfile failed.
type BuildError struct {
	// Image is the name of the ImageSpec.
	Image string
	// Step is the step as the Dockerfile has it: [2/3] RUN apt-get update.
	Step string
	// Code is the exit code of a RUN step's command; -1 where it has none.
	Code int
	// Log is the end of what the step printed.
	Log string
	Err error
}

func (e *BuildError) Error() string {
	if e.Code >= 0 {
		return fmt.Sprintf("building image %s: %s: exit code %d", e.Image, brief(e.Step), e.Code)
	}
	return fmt.Sprintf("building image %s: %s: %v", e.Image, brief(e.Step), e.Err)
}

// brief is the beginning of a step: a RUN can be a page long.
func brief(step string) string {
	const enough = 80
	step = strings.Join(strings.Fields(step), " ")
	if runes := []rune(step); len(runes) > enough {
		return string(runes[:enough-1]) + "…"
	}
	return step
}

func (e *BuildError) Unwrap() error { return e.Err }

// NotHeldError says that an image would have to be built and must not be.
type NotHeldError struct{ Ref string }

func (e *NotHeldError) Error() string { return "the engine does not hold the image " + e.Ref }

// BaseError says that the image a Dockerfile starts FROM could not be had.
type BaseError struct {
	// Image is the name of the ImageSpec, Ref the base.
	Image, Ref string
	Err        error
}

func (e *BaseError) Error() string {
	return fmt.Sprintf("building image %s: pulling base %s: %v", e.Image, e.Ref, e.Err)
}

func (e *BaseError) Unwrap() error { return e.Err }
