package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"namibuild/builder"
	"namibuild/builder/buildlog"
	"namibuild/builder/event"
	"namibuild/builder/recipe"
)

// usageError is a mistake in the command line.
type usageError struct{ error }

func (u usageError) Unwrap() error { return u.error }

// recipeError is a recipe that cannot be read or has faults.
type recipeError struct{ error }

func (r recipeError) Unwrap() error { return r.error }

// cause returns the error that the user should see: if the run was interrupted, that is
// the interruption and not what it led to.
func (a *app) cause(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil {
		return err
	}
	return context.Cause(ctx)
}

// report prints an error on one line, with a hint on a second one if the user can do
// something about it, and returns the exit code. verb is the command's whole name, whose
// help the hint may name.
func (a *app) report(err error, verb string) int {
	if err == nil {
		return exitOK
	}
	code, hint := explain(err)
	if hint == helpHint {
		hint = verb + " --help"
	}
	if reported(err) {
		return code
	}
	if a.json {
		a.reportJSON(err, code, hint)
		return code
	}
	var failed *builder.RpmbuildError
	if errors.As(err, &failed) && len(failed.Failure.Last) > 0 {
		fmt.Fprintf(os.Stderr, "\nlast lines of the log:\n")
		for _, l := range failed.Failure.Last {
			fmt.Fprintf(os.Stderr, "  | %s\n", l)
		}
	}
	fmt.Fprintf(os.Stderr, "namibuild: %s\n", sentence(err))
	if hint != "" {
		fmt.Fprintf(os.Stderr, "hint: %s\n", hint)
	}
	return code
}

// reported reports whether the verb's output has said everything, so that only the exit
// code is left to give.
func reported(err error) bool {
	var differ differError
	var leaks leaksError
	return errors.As(err, &differ) || errors.As(err, &leaks)
}

// sentence returns the text of an error. It is one line, but the faults of a recipe and
// the differences from a lock get a line each, and further lines are indented.
func sentence(err error) string {
	if lock := (*builder.LockError)(nil); errors.As(err, &lock) {
		return strings.Join(append([]string{lock.Error()}, lock.Differences...), "\n  ")
	}
	var faults recipe.Faults
	if !errors.As(err, &faults) {
		return strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "\n  ")
	}
	lines := []string{fmt.Sprintf("the recipe has %d faults", len(faults))}
	if len(faults) == 1 {
		lines[0] = "the recipe has a fault"
	}
	for _, f := range faults {
		lines = append(lines, "  "+f.String())
	}
	return strings.Join(lines, "\n")
}

func (a *app) reportJSON(err error, code int, hint string) {
	out := struct {
		Error   string            `json:"error"`
		Hint    string            `json:"hint,omitempty"`
		Exit    int               `json:"exit"`
		Step    event.Step        `json:"step,omitempty"`
		Log     string            `json:"log,omitempty"`
		Failure *buildlog.Failure `json:"failure,omitempty"`
		Locked  []string          `json:"differences,omitempty"`
	}{Error: err.Error(), Hint: hint, Exit: code}
	if step := (*event.StepError)(nil); errors.As(err, &step) {
		out.Step = step.Step
	}
	if failed := (*builder.RpmbuildError)(nil); errors.As(err, &failed) {
		out.Log, out.Failure = failed.Log, &failed.Failure
	}
	if lock := (*builder.LockError)(nil); errors.As(err, &lock) {
		out.Locked = lock.Differences
	}
	a.emit("error", out)
}
