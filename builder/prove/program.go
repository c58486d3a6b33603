package prove

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"namibuild/builder/boot"
	"namibuild/builder/event"
	"namibuild/builder/image"
	"namibuild/builder/plan"
	"namibuild/builder/set"
)

// program returns a compiled program of the guest. It compiles the program unless the store
// has one that the same image compiled from the same source.
func (b *run) program(ctx context.Context, record *set.Record, name string) ([]byte, error) {
	builder := b.compilerImage(record)
	b.Tell.Say(event.Begin, event.Witness, "%s, by the compiler of %s", name, builder)
	program, err := boot.ReadProgram(b.Images, name)
	if err != nil {
		return nil, err
	}
	data, cached, err := b.compiled(ctx, builder, program)
	if err != nil {
		return nil, err
	}
	how := "compiled"
	if cached {
		how = "from the store, compiled"
	}
	b.Tell.Say(event.End, event.Witness, "%s, %s by the compiler of %s, %d bytes", name, how, builder, len(data))
	return data, nil
}

// compilerImage returns the name of the image that compiled the kernel.
func (b *run) compilerImage(record *set.Record) string {
	switch {
	case record != nil:
		return record.Plan.Image
	case b.Recipe != nil:
		return b.Recipe.Image
	}
	return "debian12"
}

// compiled returns a program from the store, or compiles it and adds it to the store.
func (b *run) compiled(ctx context.Context, builder string, p boot.Program) (_ []byte, cached bool, err error) {
	def, err := plan.DefineImage(b.Images, builder)
	if err != nil {
		return nil, false, err
	}
	key := fmt.Sprintf("%s%x", def.Digest, sha256.Sum256([]byte(p.Compiling())))
	if f, ok := b.Store.Lookup(b.Store.Recall(p.Name, key)); ok {
		defer f.Close()
		data, err := io.ReadAll(f.Content())
		return data, true, err
	}
	e, err := b.connect(ctx)
	if err != nil {
		return nil, false, err
	}
	made, err := image.Ensure(ctx, e, image.Request{Name: builder, Definitions: b.Images, Args: b.Args, NoCache: b.NoCache, ExistingOnly: b.Offline}, event.Witness, b.Tell)
	if err != nil {
		return nil, false, err
	}
	data, err := boot.Compile(ctx, e.Create, made, plan.Topdir, p)
	if err != nil {
		return nil, false, err
	}
	return data, false, b.remember(p.Name, key, data)
}

// remember adds a compiled program to the store, under a key of its kind.
func (b *run) remember(kind, key string, data []byte) error {
	dir, err := b.Store.ScratchDir()
	if err != nil {
		return err
	}
	defer dir.Remove()
	path := filepath.Join(dir.Path, kind)
	if err := os.WriteFile(path, data, 0o666); err != nil {
		return err
	}
	f, err := b.Store.Add(path, nil)
	if err != nil {
		return err
	}
	defer f.Close()
	return b.Store.Remember(kind, key, f.SHA256)
}
