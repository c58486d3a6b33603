package boot

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"namibuild/builder/engine"
)

// Container is what a QEMU or a compiler runs in: files go in, a process runs
// to its end, files come out. The functions of this package call Remove in any
// case.
type Container interface {
	Upload(ctx context.Context, tar io.Reader) error
	Run(ctx context.Context, log io.Writer) (engine.Exit, error)
	Export(ctx context.Context, name string) (io.ReadCloser, error)
	Remove() error
}

// Create creates a container and does not start it.
type Create func(context.Context, engine.ContainerSpec) (Container, error)

// The folder, the script and the user of QEMU in its image
// (images/qemu/Dockerfile).
const (
	boxFolder = "/usr/src/namibuild/boot"
	boxScript = "/usr/lib/namibuild/qemu.sh"
	boxUser   = "1000:1000"
)

// boxSpare is the memory that QEMU itself needs besides the guest's, for
// translated code (128 MiB at most) and its devices.
const boxSpare = 512 << 20

// QEMUImage returns the image that has QEMU. Its base is that of the image
// debian12.
func QEMUImage(images fs.FS, args map[string]string) engine.ImageSpec {
	return engine.ImageSpec{Name: "qemu", LocalBase: "debian12", Files: images, Paths: []string{"images/qemu"}, Dockerfile: "images/qemu/Dockerfile", Args: args}
}

// Box is a QEMU in a container that has no network and no capability.
type Box struct {
	Create Create
	Image  engine.Image
}

// Accel returns TCG, because a container gets no device.
func (Box) Accel() Accel { return TCG }

func (b Box) String() string { return "QEMU in a container of " + b.Image.Ref + ", tcg" }

// Run runs QEMU to its end in a container of its own.
func (b Box) Run(ctx context.Context, g Guest, serial io.Writer) (err error) {
	memory := g.Memory
	if memory == 0 {
		memory = DefaultMemory
	}
	c, err := b.Create(ctx, engine.ContainerSpec{
		Name: "boot", Image: b.Image.ID, Command: append([]string{boxScript}, command(g, TCG)...),
		Hostname: "qemu", User: boxUser, Topdir: boxFolder, Memory: memory + boxSpare, Pids: 64,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Remove()) }()
	if err := c.Upload(ctx, tarOf(File{Name: kernelFile, Data: g.Kernel}, File{Name: initramfsFile, Data: g.Initramfs})); err != nil {
		return err
	}
	output := &tail{}
	exit, err := c.Run(ctx, io.MultiWriter(serial, output))
	switch {
	case err != nil:
		return err
	case exit.OOMKilled:
		return fmt.Errorf("running QEMU: the container reached its memory limit of %d MiB", (memory+boxSpare)>>20)
	case exit.Code != 0:
		return &QEMUError{exit.Code, output.String()}
	}
	return nil
}

// tarOf returns an archive of files that everyone may read.
func tarOf(files ...File) io.Reader {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		// writing the right size to memory gives no error
		_ = w.WriteHeader(&tar.Header{Name: f.Name, Mode: 0o644, Size: int64(len(f.Data)), Uid: 1000, Gid: 1000})
		_, _ = w.Write(f.Data)
	}
	_ = w.Close()
	return &b
}
