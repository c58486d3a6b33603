//go:build !linux

package durable

import "errors"

// noFollow is nothing that every other system has. lock looks before it opens a file.
const noFollow = 0

// exchange reports that this system cannot let two folders change places in one step.
func exchange(a, b string) error { return errors.ErrUnsupported }
