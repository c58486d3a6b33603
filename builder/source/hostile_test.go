package source_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"namibuild/builder/rpm"
	"namibuild/builder/rpm/rpmtest"
	"namibuild/builder/source"
)

// mostHeap is how much memory a hostile SRPM may need at most: two buffers for a file
// to edit, and the window of a decompressor.
const mostHeap = 160 << 20

// costly runs f, and fails the test if f needs more memory than that.
func costly(t *testing.T, f func()) {
	t.Helper()
	const live = "/memory/classes/heap/objects:bytes"
	runtime.GC()
	sample := []metrics.Sample{{Name: live}}
	metrics.Read(sample)
	before, peak := sample[0].Value.Uint64(), uint64(0)
	done, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		for {
			metrics.Read(sample)
			peak = max(peak, sample[0].Value.Uint64())
			select {
			case <-done:
				return
			case <-time.After(2 * time.Millisecond):
			}
		}
	}()
	f()
	close(done)
	<-watched
	if peak > before+mostHeap {
		t.Errorf("%d MiB of memory at the peak", (peak-before)>>20)
	}
}

// into returns a tarball with the stock tree and more entries.
func into(t *testing.T, more ...item) []byte { return pack(t, append(stockTree(), more...)) }

// bomb returns a tarball with a file of so many MiB of zeros, made of copies of one
// compressed mebibyte.
func bomb(t *testing.T, how string, n int) []byte {
	t.Helper()
	var head bytes.Buffer
	if err := tar.NewWriter(&head).WriteHeader(&tar.Header{Name: stockDir + "/zeros", Mode: 0o644, Size: int64(n) << 20}); err != nil {
		t.Fatal(err)
	}
	return append(compress(t, how, head.Bytes()), bytes.Repeat(compress(t, how, make([]byte, 1<<20)), n)...)
}

// TestHostileTarball checks that Prepare refuses entries that no tree may have, names
// them, and needs little memory. TestBadTarball has absolute names, names that lead
// out of the tree, devices and fifos.
func TestHostileTarball(t *testing.T) {
	sym := func(name, target string) item { return link(tar.TypeSymlink, stockDir+"/"+name, target) }
	loop := []item{sym("l1", "l2"), sym("l2", "l1")}
	if _, err := source.Prepare(t.Context(), at(t, write(t, stockPackage(stockSpec(t), into(t, loop...)))), timewait, scratch(t), nil); err != nil {
		t.Errorf("links that lead nowhere: %v", err)
	}
	tests := map[string]struct {
		tarball []byte
		want    string
	}{
		"absolute link":     {into(t, sym("l", "/etc/passwd")), `entry "l": a symbolic link to "/etc/passwd" leads out of the tree`},
		"link above":        {into(t, sym("include/l", "../../x")), `entry "include/l": a symbolic link to "../../x" leads out of the tree`},
		"link to above":     {into(t, sym("l", "..")), `entry "l": a symbolic link to ".." leads out of the tree`},
		"down and up":       {into(t, sym("l", "include/net/../../../x")), `leads out of the tree`},
		"by another link":   {into(t, sym("include/net/down", "../.."), sym("l", "include/net/down/../x")), `entry "l": a symbolic link`},
		"by a later one":    {into(t, sym("l", "include/net/down/../x"), sym("include/net/down", "../..")), `entry "l": a symbolic link`},
		"file below a link": {into(t, file(stockDir+"/include/asm/x.h", "x")), `entry "linux-2.6.32-431.3.1.el6/include/asm/x.h": include/asm above it is a symbolic link`},
		"link below a link": {into(t, sym("include/asm/l", "x")), `include/asm above it is a symbolic link`},
		"top is a link":     {pack(t, []item{link(tar.TypeSymlink, stockDir, "/etc")}), "the top directory is a symbolic link"},
		"long link":         {into(t, sym("l", strings.Repeat("a", 4096))), "a symbolic link to 4096 bytes of path"},
		"many links":        {into(t, many(10_001)...), "more than 10000 symbolic links"},
		"gzip bomb":         {bomb(t, "gzip", 700), "a decompression bomb"},
		"bzip2 bomb":        {bomb(t, "bzip2", 600), "a decompression bomb"},
		"vast xz window":    {vastWindow(compress(t, "xz", into(t))), "decompressing xz: window is larger than 134217728 bytes"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			srpm := write(t, stockPackage(stockSpec(t), test.tarball))
			costly(t, func() { refuse(t, srpm, test.want) })
		})
	}
}

// vastWindow changes the block header of an xz stream: it asks for the largest
// dictionary, 4 GiB (xz-file-format, 3.1 and 5.3.1).
func vastWindow(stream []byte) []byte {
	header := stream[12:][:(int(stream[12])+1)*4]
	header[4] = 40
	binary.LittleEndian.PutUint32(header[len(header)-4:], crc32.ChecksumIEEE(header[:len(header)-4]))
	return stream
}

func many(n int) []item {
	items := make([]item, n)
	for i := range items {
		items[i] = link(tar.TypeSymlink, fmt.Sprint(stockDir, "/l", i), "x")
	}
	return items
}

// TestHostileSRPM checks that Prepare refuses an SRPM whose payload is shorter or
// longer than its header says, and needs little memory.
func TestHostileSRPM(t *testing.T) {
	spec, tarball := stockSpec(t), into(t)
	sizes := func(genkey uint64, long bool) func(*rpmtest.Package) {
		return func(p *rpmtest.Package) {
			p.Long = long
			p.Change = func(values []rpm.Value) []rpm.Value {
				for i, v := range values {
					switch v.Tag() {
					case rpm.TagLongFileSizes:
						values[i] = rpm.Int64Value(v.Tag(), genkey, uint64(len(spec)), uint64(len(tarball)), 0)
					case rpm.TagFileSizes:
						values[i] = rpm.Int32Value(v.Tag(), uint32(genkey), uint32(len(spec)), uint32(len(tarball)), 0)
					}
				}
				return values
			}
		}
	}
	padding := func(p *rpmtest.Package) {
		p.Compress = func(archive []byte) []byte {
			var b bytes.Buffer
			w := gzip.NewWriter(&b)
			w.Write(archive)
			for range 8 {
				w.Write(make([]byte, 1<<20))
			}
			w.Close()
			return b.Bytes()
		}
	}
	for want, change := range map[string]func(*rpmtest.Package){
		"files of more than 17179869184 bytes":            sizes(1<<62, true),
		"reading genkey: reading payload: unexpected EOF": sizes(1<<33, true),
		`file "genkey" has 10 bytes, the header says 5`:   sizes(5, false),
		"reading payload: more than 65536 zeros ":         padding,
	} {
		t.Run(want, func(t *testing.T) {
			p := stockPackage(spec, tarball)
			change(&p)
			srpm := write(t, p)
			costly(t, func() { refuse(t, srpm, want) })
		})
	}
}
