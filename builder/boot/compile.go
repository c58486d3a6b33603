package boot

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"namibuild/builder/engine"
)

// Program is a C program that uses no libc and runs as process 1 of a guest.
type Program struct {
	Name string
	// Files holds its sources: Name.c and what that includes.
	Files []File
}

// ReadProgram reads a program from images/witness, one of the folders that come
// with namibuild.
func ReadProgram(images fs.FS, name string) (Program, error) {
	p := Program{Name: name}
	for _, file := range []string{"guest.h", name + ".c"} {
		data, err := fs.ReadFile(images, "images/witness/"+file)
		if err != nil {
			return Program{}, err
		}
		p.Files = append(p.Files, File{Name: file, Data: data})
	}
	return p, nil
}

// compiler is the command for a program that needs nothing but a kernel. gcc 4.4
// knows all of its switches.
const compiler = "gcc -std=gnu89 -Os -Wall -ffreestanding -fno-stack-protector -fno-pic -fno-asynchronous-unwind-tables -static -nostdlib"

// Compiling returns a text of all that decides what Compile makes of a program,
// except the image. It is for the key of a cache.
func (p Program) Compiling() string {
	all := compiler + "\n"
	for _, f := range p.Files {
		all += fmt.Sprintf("%s %d\n%s", f.Name, len(f.Data), f.Data)
	}
	return all
}

// Compile compiles the program in a container of a builder image. topdir is the
// only folder of the image that can be written to.
func Compile(ctx context.Context, create Create, image engine.Image, topdir string, p Program) (_ []byte, err error) {
	fail := func(err error) ([]byte, error) { return nil, fmt.Errorf("compiling %s: %w", p.Name, err) }
	c, err := create(ctx, engine.ContainerSpec{
		Name: p.Name, Image: image.ID, Command: []string{"/bin/sh", "-c", "cd " + topdir + " && exec " + compiler + " -o program " + p.Name + ".c"},
		Hostname: "namibuild", User: boxUser, Topdir: topdir, Memory: 1 << 30, Pids: 64,
	})
	if err != nil {
		return fail(err)
	}
	defer func() { err = errors.Join(err, c.Remove()) }()
	if err := c.Upload(ctx, tarOf(p.Files...)); err != nil {
		return fail(err)
	}
	var output bytes.Buffer
	exit, err := c.Run(ctx, &output)
	if err != nil {
		return fail(err)
	}
	if exit.Code != 0 {
		return fail(fmt.Errorf("the compiler of %s ended with status %d: %s", image.Ref, exit.Code, strings.TrimSpace(output.String())))
	}
	r, err := c.Export(ctx, "program")
	if err != nil {
		return fail(err)
	}
	defer r.Close()
	data, err := readSingle(r)
	if err != nil {
		return fail(err)
	}
	return data, nil
}

// readSingle reads the only file of an archive.
func readSingle(r io.Reader) ([]byte, error) {
	archive := tar.NewReader(r)
	if _, err := archive.Next(); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(archive, maxFile))
}
