//go:build !linux

package durable

import "errors"

// noFollow is empty, because not every other system has such a flag. tryLock checks the
// file before it opens it.
const noFollow = 0

// exchange reports that this system cannot exchange two folders in one step.
func exchange(a, b string) error { return errors.ErrUnsupported }
