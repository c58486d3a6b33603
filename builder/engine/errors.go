package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// UnreachableError reports that no engine answered at Host.
type UnreachableError struct {
	Host string
	// Denied reports whether the socket exists but this user may not open it.
	Denied bool
	Err    error
}

func (e *UnreachableError) Error() string {
	reason := strings.Join(strings.Fields(e.Err.Error()), " ")
	switch {
	case e.Denied:
		reason = "permission denied"
	case strings.HasPrefix(reason, "Cannot connect to"): // the client repeats the host and gives no reason
		reason = "nothing answers there"
	}
	return fmt.Sprintf("connecting to the engine at %s: %s", e.Host, reason)
}

func (e *UnreachableError) Unwrap() error { return e.Err }

func unreachable(host string, err error) error {
	return &UnreachableError{Host: host, Denied: errors.Is(err, fs.ErrPermission), Err: err}
}

// TooOldError reports an engine whose API is older than minAPI.
type TooOldError struct {
	Host, Version, APIVersion string
}

func (e *TooOldError) Error() string {
	return fmt.Sprintf("connecting to the engine at %s: engine %s speaks API %s, want %s (engine 20.10) or later",
		e.Host, e.Version, e.APIVersion, minAPI)
}

// BuildError reports a step of a Dockerfile that failed.
type BuildError struct {
	// Image is the name of the ImageSpec.
	Image string
	// Step is the step as BuildKit names it, such as [2/3] RUN apt-get update.
	Step string
	// Code is the exit code of a RUN step's command, or -1 if there is none.
	Code int
	// Log is the end of the step's output, 8 KiB at most.
	Log string
	Err error
}

func (e *BuildError) Error() string {
	if e.Code >= 0 {
		return fmt.Sprintf("building image %s: %s: exit code %d", e.Image, shorten(e.Step), e.Code)
	}
	return fmt.Sprintf("building image %s: %s: %v", e.Image, shorten(e.Step), e.Err)
}

// shorten returns the first 80 characters of a step: a RUN can be a page long.
func shorten(step string) string {
	const enough = 80
	step = strings.Join(strings.Fields(step), " ")
	if runes := []rune(step); len(runes) > enough {
		return string(runes[:enough-1]) + "…"
	}
	return step
}

func (e *BuildError) Unwrap() error { return e.Err }

// NoImageError reports an image that the engine does not have and that
// ImageSpec.ExistingOnly forbids to build.
type NoImageError struct{ Ref string }

func (e *NoImageError) Error() string { return "the engine does not have the image " + e.Ref }

// BaseError reports that the image of a Dockerfile's FROM could not be pulled.
type BaseError struct {
	// Image is the name of the ImageSpec, Ref the base.
	Image, Ref string
	Err        error
}

func (e *BaseError) Error() string {
	return fmt.Sprintf("building image %s: pulling base %s: %v", e.Image, e.Ref, e.Err)
}

func (e *BaseError) Unwrap() error { return e.Err }
