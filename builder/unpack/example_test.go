package unpack_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"log"
	"os"

	"namibuild/builder/unpack"
)

// compressed returns text as gzip compresses it.
func compressed(text string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, text)
	w.Close()
	return b.Bytes()
}

// A stream of any known format, of which at most 1 MiB may come out.
func ExampleOpen() {
	r, err := unpack.Open(bytes.NewReader(compressed("CONFIG_SMP=y\n")), 1<<20)
	if err != nil {
		log.Fatal(err)
	}
	defer r.Close()
	if _, err := io.Copy(os.Stdout, r); err != nil {
		log.Fatal(err)
	}
	// Output: CONFIG_SMP=y
}

// A kernel with its configuration inside.
func ExampleWalk() {
	kernel := append([]byte("the code of a kernel "), compressed("CONFIG_SMP=y")...)
	err := unpack.Walk(bytes.NewReader(kernel), "vmlinux", func(r io.Reader, where string) error {
		n, err := io.Copy(io.Discard, r)
		fmt.Printf("%s: %d bytes\n", where, n)
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// vmlinux, unpacked from 0x15: 12 bytes
	// vmlinux: 57 bytes
}
