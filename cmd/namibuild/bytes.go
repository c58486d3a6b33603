package main

import (
	"errors"
	"strconv"
	"strings"
)

// bytesFlag is a flag for a number of bytes: 512M, 6G, 2T. The units are powers of 1024, as
// memory is counted.
type bytesFlag int64

func (b *bytesFlag) String() string {
	if *b == 0 {
		return ""
	}
	return strconv.FormatInt(int64(*b), 10)
}

func (b *bytesFlag) Type() string { return "BYTES" }

func (b *bytesFlag) Set(s string) error {
	figure, shift := s, 0
	if i := strings.IndexByte("KMGT", strings.ToUpper(s + " ")[max(0, len(s)-1)]); i >= 0 && len(s) > 0 {
		figure, shift = s[:len(s)-1], 10*(i+1)
	}
	n, err := strconv.ParseInt(figure, 10, 64)
	if err != nil || n <= 0 || n > 1<<62>>shift {
		return errors.New("must be a size such as 512M or 6G")
	}
	*b = bytesFlag(n << shift)
	return nil
}
