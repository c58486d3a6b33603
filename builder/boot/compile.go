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

// Program is a C program without libc for process 1 of a guest.
type Program struct {
	Name string
	// Files are its sources: Name.c and what that includes.
	Files []File
}

// ReadProgram finds a program among the files that come with namibuild.
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

// compiler makes a program that needs nothing of the machine but the kernel.
// gcc 4.4 knows all of these switches.
const compiler = "gcc -std=gnu89 -Os -Wall -ffreestanding -fno-stack-protector -fno-pic -fno-asynchronous-unwind-tables -static -nostdlib"

// Compiling is everything that decides what Compile makes of a program, for the
// key of a cache.
func (p Program) Compiling() string {
	all := compiler + "\n"
	for _, f := range p.Files {
		all += fmt.Sprintf("%s %d\n%s", f.Name, len(f.Data), f.Data)
	}
	return all
}

// Compile makes the program with the compiler of a builder image, in a
// container of it. topdir is the image's one folder that may be written to.
func Compile(ctx context.Context, create Create, image engine.Image, topdir string, p Program) (_ []byte, err error) {
	fail := func(err error) ([]byte, error) { return nil, fmt.Errorf("compiling %s: %w", p.Name, err) }
	box, err := create(ctx, engine.ContainerSpec{
		Name: p.Name, Image: image.ID, Command: []string{"/bin/sh", "-c", "cd " + topdir + " && exec " + compiler + " -o program " + p.Name + ".c"},
		Hostname: "namibuild", User: boxUser, Topdir: topdir, Memory: 1 << 30, Pids: 64,
	})
	if err != nil {
		return fail(err)
	}
	defer func() { err = errors.Join(err, box.Remove()) }()
	if err := box.Upload(ctx, tarOf(p.Files...)); err != nil {
		return fail(err)
	}
	var said bytes.Buffer
	exit, err := box.Run(ctx, &said)
	if err != nil {
		return fail(err)
	}
	if exit.Code != 0 {
		return fail(fmt.Errorf("the compiler of %s ended with status %d: %s", image.Ref, exit.Code, strings.TrimSpace(said.String())))
	}
	r, err := box.Export(ctx, "program")
	if err != nil {
		return fail(err)
	}
	defer r.Close()
	data, err := single(r)
	if err != nil {
		return fail(err)
	}
	return data, nil
}

// single is the one file of an archive.
func single(r io.Reader) ([]byte, error) {
	archive := tar.NewReader(r)
	if _, err := archive.Next(); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(archive, maxFile))
}
