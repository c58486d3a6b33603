package main

import (
	"fmt"
	"strconv"
	"strings"
)

// bytesFlag is a number of bytes on the command line: 512M, 6G, 2T, powers of
// 1024 as memory counts.
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
		return fmt.Errorf("a size as 512M or 6G was expected")
	}
	*b = bytesFlag(n << shift)
	return nil
}
