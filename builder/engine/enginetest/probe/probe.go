// Package probe is the program that the engine's tests run in a container. It is
// one static file and needs no other file in its image. It can also run inside a
// test process, as the program of the fake engine's containers.
package probe

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os/signal"
	"strconv"
	"syscall"
)

// World is what the program can access.
type World struct {
	Stdin  io.Reader
	Stdout io.Writer
	// Read and Write read and write files of the topdir.
	Read  func(name string) ([]byte, error)
	Write func(name string, data []byte) error
}

// Run runs the command in args and returns the exit status:
//
//	copy FROM TO   copies a file of the topdir
//	exit N         exits with status N
//	flood          prints without end and ignores SIGTERM and stdin
//	fail TEXT N    prints a line and exits with status N
//	lines N        prints N numbered lines of 64 bytes
//	wait           prints "waiting" and exits with status 0 when stdin ends
func Run(w World, args ...string) int {
	switch {
	case len(args) == 3 && args[0] == "copy":
		return copyFile(w, args[1], args[2])
	case len(args) == 2 && args[0] == "exit":
		return number(args[1])
	case len(args) == 3 && args[0] == "fail":
		fmt.Fprintln(w.Stdout, args[1])
		return number(args[2])
	case len(args) == 1 && args[0] == "flood":
		return flood(w.Stdout)
	case len(args) == 2 && args[0] == "lines":
		return lines(w.Stdout, number(args[1]))
	case len(args) == 1 && args[0] == "wait":
		fmt.Fprintln(w.Stdout, "waiting")
		_, _ = io.Copy(io.Discard, w.Stdin)
		return 0
	}
	fmt.Fprintf(w.Stdout, "probe: unknown arguments %q\n", args)
	return 2
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 2
	}
	return n
}

func copyFile(w World, from, to string) int {
	data, err := w.Read(from)
	if err == nil {
		err = w.Write(to, data)
	}
	if err != nil {
		fmt.Fprintf(w.Stdout, "probe: copying: %v\n", err)
		return 1
	}
	fmt.Fprintf(w.Stdout, "copied %d bytes\n", len(data))
	return 0
}

// Line returns the n-th line that `lines` prints.
func Line(n int) string { return fmt.Sprintf("%063d\n", n) }

// flood returns only if it can no longer print.
func flood(out io.Writer) int {
	signal.Ignore(syscall.SIGTERM)
	defer signal.Reset(syscall.SIGTERM)
	block := bytes.Repeat([]byte("\x00flood "), 8<<10)
	for {
		if _, err := out.Write(block); err != nil {
			return 1
		}
	}
}

func lines(out io.Writer, n int) int {
	b := bufio.NewWriter(out)
	for i := range n {
		if _, err := b.WriteString(Line(i)); err != nil {
			return 1
		}
	}
	if b.Flush() != nil {
		return 1
	}
	return 0
}
