package rpmtest

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"
)

const (
	modeType    = 0o170000
	modeRegular = 0o100000
	// dictionary is small, because allocating it takes most of the time for a small
	// package.
	dictionary = 1 << 16
)

// archive returns the payload before compression, which is a cpio archive ("newc").
func (p Package) archive() []byte {
	var b bytes.Buffer
	for i, f := range p.Files {
		name := f.Path
		if !p.Source {
			name = "./" + strings.TrimPrefix(name, "/")
		}
		if p.Long {
			fmt.Fprintf(&b, "07070X%08x", i)
			align(&b)
		} else {
			p.writeEntry(&b, name, i+1, f)
		}
		b.WriteString(f.Content)
		align(&b)
	}
	Package{}.writeEntry(&b, "TRAILER!!!", 0, File{})
	return b.Bytes()
}

func (p Package) writeEntry(b *bytes.Buffer, name string, inode int, f File) {
	b.WriteString("070701")
	numbers := []int{inode, int(f.Mode), 0, 0, 1, int(f.Mtime), len(f.Content), 0, 1, 0, 0, len(name) + 1, 0}
	if p.Entry != nil {
		p.Entry(f, numbers)
	}
	for _, n := range numbers {
		fmt.Fprintf(b, "%08x", n)
	}
	b.WriteString(name + "\x00")
	align(b)
}

func align(b *bytes.Buffer) { b.Write(make([]byte, -b.Len()&3)) }

func (p Package) compress(archive []byte) []byte {
	var b bytes.Buffer
	var w io.WriteCloser
	switch {
	case p.Compress != nil:
		return p.Compress(archive)
	case p.Payload == "none":
		return archive
	case p.Payload == "gzip":
		w = must(gzip.NewWriterLevel(&b, gzip.BestCompression))
	case p.Payload == "xz":
		w = must(xz.WriterConfig{DictCap: dictionary}.NewWriter(&b))
	case p.Payload == "lzma":
		w = must(lzma.WriterConfig{DictCap: dictionary}.NewWriter(&b))
	case p.Payload == "zstd":
		w = must(zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1)))
	default:
		panic("rpmtest: no compressor " + p.Payload)
	}
	must(w.Write(archive))
	must(0, w.Close())
	return b.Bytes()
}
