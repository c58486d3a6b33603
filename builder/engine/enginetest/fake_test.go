package enginetest_test

import (
	"archive/tar"
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/fstest"

	"namibuild/builder/engine"
	"namibuild/builder/engine/enginetest"
	"namibuild/builder/engine/enginetest/probe"
)

// probed runs the probe as a container of the real test image does.
func probed(_ context.Context, p *enginetest.Process) engine.Exit {
	return engine.Exit{Code: probe.Run(probe.World{
		Stdin: p.Stdin, Stdout: p.Log,
		Read: p.Topdir.ReadFile,
		Write: func(name string, data []byte) error {
			p.Topdir[name] = &fstest.MapFile{Data: data, Mode: 0o644}
			return nil
		},
	}, p.Spec.Command[1:]...)}
}

// known holds the files of the real test image that the tests read.
var known = map[string][]byte{"/known": []byte("known\n"), "/usr/lib/namibuild/rngd.sh": nil}

func image(name string) engine.ImageSpec {
	return engine.ImageSpec{Name: name, Files: fstest.MapFS{"Dockerfile": {Data: []byte("FROM " + name)}}, Dockerfile: "Dockerfile"}
}

func TestFakeContract(t *testing.T) {
	enginetest.Contract(t, func(*testing.T) enginetest.Subject {
		f := &enginetest.Fake{
			Program: probed,
			Root:    known,
			Entropy: engine.Entropy{Source: engine.Kernel, Reason: "Linux 6.1 does not block on /dev/random"},
			Build: func(s engine.ImageSpec, _ func(engine.ImageProgress)) error {
				if s.Name == "broken" {
					return &engine.BuildError{Image: s.Name, Step: "[2/2] RUN false", Code: 7, Log: "going wrong\n"}
				}
				return nil
			},
			Files: func(engine.ImageSpec) (map[string][]byte, error) {
				return map[string][]byte{"out/packed": []byte("packed\n")}, nil
			},
		}
		return enginetest.Subject{
			Engine: f, Image: image("probe"), Broken: image("broken"), Packed: image("packed"), Topdir: "/topdir",
			Left: func(*testing.T) []string { return f.Left() },
		}
	})
}

// TestFail checks that every step returns the error of Fail.
func TestFail(t *testing.T) {
	boom := errors.New("boom")
	for _, step := range []enginetest.Step{
		enginetest.Image, enginetest.Import, enginetest.Pack, enginetest.Create, enginetest.Upload,
		enginetest.Run, enginetest.Export, enginetest.Read, enginetest.Remove, enginetest.Sweep,
	} {
		f := &enginetest.Fake{Fail: map[enginetest.Step]error{step: boom}, Program: probed, Root: known}
		if err := everything(t, f); !errors.Is(err, boom) {
			t.Errorf("%s: got %v", step, err)
		}
	}
	if err := everything(t, &enginetest.Fake{Program: probed, Root: known}); err != nil {
		t.Errorf("got %v", err)
	}
}

// everything calls every step once.
func everything(t *testing.T, f *enginetest.Fake) error {
	ctx := t.Context()
	_, swept := f.Sweep(ctx)
	imported := f.ImportBase(ctx, "probe", new(io.LimitedReader))
	packed := f.Export(ctx, image("packed"), t.TempDir(), nil)
	img, err := f.EnsureImage(ctx, image("probe"), nil)
	if err := errors.Join(swept, imported, packed, err); err != nil {
		return err
	}
	c, err := f.Create(ctx, engine.ContainerSpec{Image: img.Ref, Command: []string{"/probe", "exit", "0"}, Topdir: "/topdir"})
	if err != nil {
		return err
	}
	uploaded := c.Upload(ctx, new(io.LimitedReader))
	_, ran := c.Run(ctx, io.Discard)
	_, exported := c.Export(ctx, ".")
	_, read := c.Read(ctx, "/known", 6)
	return errors.Join(uploaded, ran, exported, read, c.Remove())
}

// TestFakeExport checks that the files of a program can be exported by folder,
// with the names that the real engine gives them.
func TestFakeExport(t *testing.T) {
	f := &enginetest.Fake{Program: func(_ context.Context, p *enginetest.Process) engine.Exit {
		for _, name := range []string{"RPMS/x86_64/a.rpm", "RPMS/noarch/b.rpm", "RPMSX", "BUILD/o"} {
			p.Topdir[name] = &fstest.MapFile{}
		}
		return engine.Exit{}
	}}
	img, _ := f.EnsureImage(t.Context(), image("probe"), nil)
	c, err := f.Create(t.Context(), engine.ContainerSpec{Image: img.Ref, Topdir: "/usr/topdir"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Run(t.Context(), io.Discard); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]string{
		"RPMS":              {"RPMS/noarch/b.rpm", "RPMS/x86_64/a.rpm"},
		"RPMS/x86_64/a.rpm": {"a.rpm"},
		".":                 {"topdir/BUILD/o", "topdir/RPMS/noarch/b.rpm", "topdir/RPMS/x86_64/a.rpm", "topdir/RPMSX"},
	} {
		out, err := c.Export(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if got := names(t, out); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func names(t *testing.T, archive io.Reader) (all []string) {
	t.Helper()
	for r := tar.NewReader(archive); ; {
		entry, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, entry.Name)
	}
}
