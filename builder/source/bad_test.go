package source_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"namibuild/builder/recipe"
	"namibuild/builder/rpm"
	"namibuild/builder/rpm/rpmtest"
	"namibuild/builder/source"
)

// refuse checks that Prepare returns an error with want in it, and leaves no
// goroutine.
func refuse(t *testing.T, srpm string, want string) {
	t.Helper()
	before := runtime.NumGoroutine()
	_, err := source.Prepare(t.Context(), at(t, srpm), timewait, scratch(t), nil)
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q in it", err, want)
	}
	if err != nil && strings.Count(err.Error(), filepath.Base(srpm)) > 1 {
		t.Errorf("the file is named twice: %v", err)
	}
	settled(t, before)
}

func TestBadSRPM(t *testing.T) {
	spec, tarball := stockSpec(t), pack(t, stockTree())
	add := func(f rpmtest.File) func(*rpmtest.Package) {
		return func(p *rpmtest.Package) { p.Files = append(p.Files, f) }
	}
	for want, change := range map[string]func(*rpmtest.Package){
		"want one spec, found 0":                    func(p *rpmtest.Package) { p.Files[1].Flags = 0 },
		"want one spec, found 2":                    add(rpmtest.File{Path: "z.spec", Flags: rpm.FlagSpecfile}),
		`file name "../evil" is not a plain name`:   add(rpmtest.File{Path: "../evil"}),
		`file name "a/b" is not a plain name`:       add(rpmtest.File{Path: "a/b"}),
		`file name ".." is not a plain name`:        add(rpmtest.File{Path: ".."}),
		`file name "/etc/motd" is not a plain name`: add(rpmtest.File{Path: "/etc/motd"}),
		`file "genkey" is listed twice`:             add(rpmtest.File{Path: "genkey"}),
		`file "lnk" is not a regular file`:          add(rpmtest.File{Path: "lnk", Linkname: "/etc/passwd"}),
		`file "dir" is not a regular file`:          add(rpmtest.File{Path: "dir", Mode: 0o040755}),
		"want an SRPM, found the binary package":    func(p *rpmtest.Package) { p.Source = false },
		"more than 16 MiB": func(p *rpmtest.Package) {
			p.Files[1].Content, p.Payload = strings.Repeat("#\n", 8<<20+1), "none"
		},
	} {
		t.Run(want, func(t *testing.T) {
			p := stockPackage(spec, tarball)
			change(&p)
			refuse(t, write(t, p), want)
		})
	}
	_, err := source.Prepare(t.Context(), source.Files{Name: "a.src.rpm", SRPM: strings.NewReader("")}, timewait, scratch(t), nil)
	if err == nil || !strings.HasPrefix(err.Error(), "preparing a.src.rpm: ") {
		t.Errorf("an empty file: %v", err)
	}
}

// TestTruncated cuts the SRPM at many places. TestFlipped changes its bits.
func TestTruncated(t *testing.T) {
	srpm := stock(t)
	data, err := os.ReadFile(srpm)
	if err != nil {
		t.Fatal(err)
	}
	before := runtime.NumGoroutine()
	for n := 0; n < len(data); n += 61 {
		if err := os.WriteFile(srpm, data[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := source.Prepare(t.Context(), at(t, srpm), timewait, scratch(t), nil); err == nil {
			t.Fatalf("%d bytes of %d are enough", n, len(data))
		}
	}
	settled(t, before)
}

func TestFlipped(t *testing.T) {
	tarball := compress(t, "bzip2", pack(t, append(stockTree(), file(stockDir+"/noise", noise(300_000)))))
	p := stockPackage(stockSpec(t), nil)
	p.Payload = "none"
	for _, at := range []int{0, 2, 5, 11, 15, 100, len(tarball) / 2, len(tarball) - 8, len(tarball) - 3} {
		flipped := bytes.Clone(tarball)
		flipped[at] ^= 0x10
		p.Files[2].Content = string(flipped)
		refuse(t, write(t, p), "unpacking "+stockTar)
	}
	// A bit that only the digest of the file can detect.
	p.Files[2].Content = string(tarball)
	for _, p.Legacy = range []bool{false, true} {
		data := rpmtest.Build(p)
		data[bytes.Index(data, []byte("#!/bin/sh"))] ^= 1
		srpm := filepath.Join(t.TempDir(), "k.src.rpm")
		if err := os.WriteFile(srpm, data, 0o600); err != nil {
			t.Fatal(err)
		}
		refuse(t, srpm, "reading genkey: digest got ")
	}
}

func TestBadTarball(t *testing.T) {
	device := item{tar.Header{Typeflag: tar.TypeBlock, Name: stockDir + "/sda", Devmajor: 8}, ""}
	fifo := item{tar.Header{Typeflag: tar.TypeFifo, Name: stockDir + "/pipe"}, ""}
	for want, it := range map[string]item{
		"leads out of the tree":                     file("/etc/passwd", "x"),
		`"linux-2.6.32-431.3.1.el6/../x"`:           file(stockDir+"/../x", "x"),
		`"linux-2.6.32-431.3.1.el6/a/.."`:           file(stockDir+"/a/..", "x"),
		"not below the top directory " + stockDir:   file("other/x", "x"),
		`"linux-2.6.32-431.3.1.el6x/y"`:             file(stockDir+"x/y", "x"),
		"a device node or fifo":                     device,
		`pipe": a device node or fifo`:              fifo,
		`hard link to "/etc/passwd"`:                link(tar.TypeLink, stockDir+"/l", "/etc/passwd"),
		`hard link to "other/x": not below the top`: link(tar.TypeLink, stockDir+"/l", "other/x"),
		"is in it twice":                            file(stockDir+"/include/net/tcp.h", tcph),
		"unknown tar type '7'":                      {tar.Header{Typeflag: tar.TypeCont, Name: stockDir + "/c"}, ""},
	} {
		t.Run(want, func(t *testing.T) {
			tarball := compress(t, "bzip2", pack(t, append(stockTree(), it)))
			refuse(t, write(t, stockPackage(stockSpec(t), tarball)), want)
		})
	}
	t.Run("cut", func(t *testing.T) {
		whole := pack(t, stockTree())
		refuse(t, write(t, stockPackage(stockSpec(t), compress(t, "bzip2", whole[:len(whole)/2+100]))), "unexpected EOF")
	})
	t.Run("not a tar", func(t *testing.T) {
		refuse(t, write(t, stockPackage(stockSpec(t), []byte(noise(4096)))), "invalid tar header")
	})
	t.Run("bad xz", func(t *testing.T) {
		refuse(t, write(t, stockPackage(stockSpec(t), []byte("\xfd7zXZ\x00 and nothing more"))), "unpacking "+stockTar)
	})
}

// TestInspectStopsEarly checks that Inspect does not read behind the last file that
// it needs.
func TestInspectStopsEarly(t *testing.T) {
	whole := pack(t, stockTree())
	bad := append(whole[:len(whole)-1024], noise(3<<20)...) // noise in the place of the end mark
	srpm := write(t, stockPackage(stockSpec(t), compress(t, "bzip2", bad)))
	before := runtime.NumGoroutine()
	if _, err := source.Inspect(t.Context(), at(t, srpm), timewait, nil); err != nil {
		t.Error(err)
	}
	settled(t, before)
	refuse(t, srpm, "unpacking "+stockTar)
}

func TestCancel(t *testing.T) {
	big := append(stockTree(), file(stockDir+"/noise", noise(2<<20)), file(stockDir+"/zeros", strings.Repeat("\x00", 8<<20)))
	for _, how := range []string{"none", "gzip", "bzip2"} {
		srpm := write(t, stockPackage(stockSpec(t), compress(t, how, pack(t, big))))
		for _, r := range []recipe.Recipe{timewait, {}} {
			ctx, cancel := context.WithCancel(t.Context())
			before := runtime.NumGoroutine()
			var last int64
			_, err := source.Prepare(ctx, at(t, srpm), r, scratch(t), func(done, total int64) {
				last = done
				cancel()
			})
			if !errors.Is(err, context.Canceled) || last == 0 {
				t.Errorf("%s: %v after %d bytes", how, err, last)
			}
			settled(t, before)
		}
	}
}

// full is a disk with space for so many bytes.
type full struct {
	io.WriteSeeker
	room int
}

func (f *full) Write(b []byte) (int, error) {
	if f.room -= len(b); f.room < 0 {
		return 0, errors.New("no space left")
	}
	return f.WriteSeeker.Write(b)
}

func TestDiskFull(t *testing.T) {
	big := append(stockTree(), file(stockDir+"/noise", noise(2<<20)))
	srpm := write(t, stockPackage(stockSpec(t), compress(t, "bzip2", pack(t, big))))
	before := runtime.NumGoroutine()
	for _, room := range []int{0, 5000, 3 << 19} {
		_, err := source.Prepare(t.Context(), at(t, srpm), timewait, &full{scratch(t), room}, nil)
		if err == nil || !strings.Contains(err.Error(), "writing topdir: no space left") {
			t.Errorf("%d: %v", room, err)
		}
	}
	settled(t, before)
}
