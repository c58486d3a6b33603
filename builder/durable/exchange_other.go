//go:build !linux

package durable

import "errors"

// exchange reports that this system cannot let two folders change places in one step.
func exchange(a, b string) error { return errors.ErrUnsupported }
