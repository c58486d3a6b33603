package rpm_test

import (
	"bytes"
	order "encoding/binary"
	"io"
	"slices"
	"strings"
	"testing"

	"namibuild/builder/rpm"
	"namibuild/builder/rpm/rpmtest"

	"github.com/google/go-cmp/cmp"
)

// made returns a header with a value of every type.
func made(t testing.TB) *rpm.Header {
	t.Helper()
	h, err := rpm.MakeHeader(rpm.RegionImmutable,
		rpm.Int64Value(5009, 1, 1<<40),
		rpm.StringValue(rpm.TagName, "kernel"),
		rpm.StringsValue(rpm.TagI18nTable, "C", "de"),
		rpm.I18nValue(rpm.TagSummary, "The kernel", "Der Kern"),
		rpm.Int16Value(rpm.TagFileModes, 0o100644, 0o40755),
		rpm.Int32Value(rpm.TagFileSizes, 7, 1<<32-1),
		rpm.BytesValue(rpm.TagSourcePkgID, []byte{1, 2, 3}),
		rpm.StringsValue(rpm.TagBasenames, "a", "", "ü"),
	)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestHeaderValues(t *testing.T) {
	h := made(t)
	type value struct {
		String  string
		Strings []string
		Ints    []int64
		Bytes   []byte
	}
	got := make(map[rpm.Tag]value)
	for _, tag := range append(h.Tags(), rpm.TagRelease) {
		got[tag] = value{h.String(tag), h.Strings(tag), h.Ints(tag), h.Bytes(tag)}
	}
	want := map[rpm.Tag]value{
		rpm.TagI18nTable:   {String: "C", Strings: []string{"C", "de"}},
		rpm.TagName:        {String: "kernel", Strings: []string{"kernel"}},
		rpm.TagSummary:     {String: "The kernel", Strings: []string{"The kernel", "Der Kern"}},
		rpm.TagFileSizes:   {Ints: []int64{7, 1<<32 - 1}},
		rpm.TagFileModes:   {Ints: []int64{0o100644, 0o40755}},
		rpm.TagBasenames:   {String: "a", Strings: []string{"a", "", "ü"}},
		rpm.TagSourcePkgID: {Bytes: []byte{1, 2, 3}},
		rpm.TagLongSize:    {Ints: []int64{1, 1 << 40}},
		rpm.TagRelease:     {},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if n, ok := h.Int(rpm.TagLongSize); n != 1 || !ok || !h.Has(rpm.TagLongSize) || h.Type(rpm.TagLongSize) != rpm.TypeInt64 {
		t.Errorf("first number got %d, %t", n, ok)
	}
	if n, ok := h.Int(rpm.TagName); n != 0 || ok || h.Has(rpm.TagRelease) || h.Type(rpm.TagRelease) != rpm.TypeNull {
		t.Errorf("a text as a number: %d, %t", n, ok)
	}
}

// A header made of another's values is equal to it.
func TestMakeHeaderAgain(t *testing.T) {
	h := made(t)
	again, err := rpm.MakeHeader(rpm.RegionImmutable, h.Values()...)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(raw(t, h), raw(t, again)) || again.Size() != int64(len(raw(t, h))) {
		t.Error("made again, the header differs")
	}
	h.Bytes(rpm.TagSourcePkgID)[0] = 9
	if got := h.Bytes(rpm.TagSourcePkgID)[0]; got != 1 {
		t.Error("a caller can change the header")
	}
}

func TestMakeHeaderErrors(t *testing.T) {
	name := rpm.StringValue(rpm.TagName, "a")
	for says, values := range map[string][]rpm.Value{
		"making header: tag 1000 occurs twice":        {name, name},
		"making header: tag 1117: count 0":            {rpm.StringsValue(rpm.TagBasenames)},
		"making header: tag 1000: 1 surplus bytes":    {rpm.StringValue(rpm.TagName, "a\x00")},
		"making header: tag 63 occurs twice":          {rpm.StringValue(63, "a")},
		"making header: tag 99 is not allowed":        {rpm.StringValue(99, "a")},
		"making header: index of 65536 entries, want": slices.Repeat([]rpm.Value{name}, 65535),
	} {
		if _, err := rpm.MakeHeader(rpm.RegionImmutable, values...); err == nil || !strings.HasPrefix(err.Error(), says) {
			t.Errorf("got %v, want %s…", err, says)
		}
	}
}

func raw(t testing.TB, h *rpm.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := h.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// words returns big-endian numbers of 32 bits.
func words(list ...int) []byte {
	var b []byte
	for _, n := range list {
		b = order.BigEndian.AppendUint32(b, uint32(n))
	}
	return b
}

// byHand returns a header of index lines and data.
func byHand(data string, lines ...int) []byte {
	b := append([]byte("\x8e\xad\xe8\x01\x00\x00\x00\x00"), words(len(lines)/4, len(data))...)
	return append(append(b, words(lines...)...), data...)
}

func TestReadHeaderErrors(t *testing.T) {
	trailer := string(words(63, 7, -32, 16))
	good := byHand("abc\x00"+trailer, 63, 7, 4, 16, 1000, 6, 0, 1)
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"good", good, ""},
		{"no region", byHand("abc\x00", 1000, 6, 0, 1), ""},
		{"gap", byHand("abc\x00\x00x"+trailer, 63, 7, 6, 16, 1000, 6, 0, 1), ""},
		{"null", byHand("abc\x00", 1000, 6, 0, 1, 1001, 0, 4, 1), ""},
		{"empty", nil, "truncated: 0 of 16 bytes: unexpected EOF"},
		{"magic", append([]byte{0x8f}, good[1:]...), "magic got 8fade80100000000, want 8eade80100000000"},
		{"version", append([]byte{0x8e, 0xad, 0xe8, 2}, good[4:]...), "magic got 8eade80200000000, want 8eade80100000000"},
		{"no entries", byHand("abc\x00"), "index of 0 entries, want 1 to 65535"},
		{"many entries", append(good[:8:8], words(1<<16, 0)...), "index of 65536 entries, want 1 to 65535"},
		{"much data", append(good[:8:8], words(1, 1<<28)...), "data of 268435456 bytes, want at most 268435455"},
		{"cut", good[:len(good)-1], "truncated: 67 of 68 bytes: unexpected EOF"},
		{"type", byHand("abc\x00", 1000, 10, 0, 1), "tag 1000: unknown type 10"},
		{"count 0", byHand("abc\x00", 1000, 6, 0, 0), "tag 1000: count 0 is out of range"},
		{"count -1", byHand("abc\x00", 1000, 8, 0, -1), "tag 1000: count 4294967295 is out of range"},
		{"two texts in one", byHand("a\x00b\x00", 1000, 6, 0, 2), "tag 1000: single text with count 2"},
		{"offset", byHand("abc\x00", 1000, 6, 5, 1), "tag 1000: data at 5, header ends at 4"},
		{"negative offset", byHand("abc\x00", 1000, 6, -1, 1), "tag 1000: data at 4294967295, header ends at 4"},
		{"not terminated", byHand("abc", 1000, 6, 0, 1), "tag 1000: text 1 of 1 is not terminated"},
		{"too few texts", byHand("a\x00b\x00", 1000, 8, 0, 3), "tag 1000: text 3 of 3 is not terminated"},
		{"too many numbers", byHand("abcd", 1000, 4, 0, 2), "tag 1000: 8 bytes of data, header ends after 4"},
		{"huge number of numbers", byHand("abcd", 1000, 5, 0, 1<<31-1), "tag 1000: 17179869176 bytes of data, header ends after 4"},
		{"not aligned", byHand("abcdefg\x00", 1000, 4, 2, 1), "tag 1000: data at 2, want a multiple of 4"},
		{"overlap", byHand("abc\x00", 1000, 6, 0, 1, 1001, 6, 3, 1), "tag 1001: data at 3 overlaps that before, which ends at 4"},
		{"twice", byHand("a\x00b\x00", 1000, 6, 0, 1, 1000, 6, 2, 1), "tag 1000 occurs twice in the index"},
		{"low tag", byHand("abc\x00", 99, 6, 0, 1), "tag 99 is not allowed"},
		{"negative tag", byHand("abc\x00", -5, 6, 0, 1), "tag -5 is not allowed"},
		{"other region", byHand("abc\x00"+trailer, 62, 7, 4, 16, 1000, 6, 0, 1), "tag 62 is not allowed"},
		{"region second", byHand("abc\x00"+trailer, 1000, 6, 0, 1, 63, 7, 4, 16), "tag 63 is not allowed"},
		{"region type", byHand("abc\x00"+trailer, 63, 1, 4, 16, 1000, 6, 0, 1), "region: type 1, count 16, want 7, 16"},
		{"region count", byHand("abc\x00"+trailer, 63, 7, 4, 15, 1000, 6, 0, 1), "region: type 7, count 15, want 7, 16"},
		{"region ends early", byHand("abc\x00"+trailer+"x", 63, 7, 4, 16, 1000, 6, 0, 1), "region: ends at 20, data at 21"},
		{"trailer tag", byHand("abc\x00"+string(words(61, 7, -32, 16)), 63, 7, 4, 16, 1000, 6, 0, 1), "region: trailer is tag 61, type 7, count 16"},
		{"trailer size", byHand("abc\x00"+string(words(63, 7, -16, 16)), 63, 7, 4, 16, 1000, 6, 0, 1), "region: covers 16 bytes of the index, want 32"},
		{"trailer sign", byHand("abc\x00"+string(words(63, 7, 32, 16)), 63, 7, 4, 16, 1000, 6, 0, 1), "region: covers -32 bytes of the index, want 32"},
	} {
		var before bytes.Buffer
		p := parse(t, rpmtest.Build(binary))
		if _, err := p.WriteTo(&before); err != nil {
			t.Fatal(err)
		}
		start := before.Bytes()[:p.PayloadOffset-p.Header.Size()]
		_, err := rpm.ReadPackage(io.MultiReader(bytes.NewReader(start), bytes.NewReader(c.data)))
		got := ""
		if err != nil {
			got = strings.TrimPrefix(err.Error(), "reading header: ")
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestReadPackageErrors(t *testing.T) {
	good := rpmtest.Build(binary)
	at := func(i int, b byte) []byte {
		data := bytes.Clone(good)
		data[i] = b
		return data
	}
	padded := resign(t, good, with(rpm.BytesValue(rpm.SigTagReservedSpace, make([]byte, 33))))
	p := parse(t, padded)
	padding := int(p.PayloadOffset-p.Header.Size()) - 1
	padded[padding] = 1
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "reading lead: truncated: 0 of 96 bytes: unexpected EOF"},
		{"text", []byte(strings.Repeat("<html>", 20)), "reading lead: not an RPM: magic got 3c68746d, want edabeedb"},
		{"format", at(4, 2), "reading lead: format 2.0 is not supported"},
		{"signature type", at(79, 1), "reading lead: signature type got 1, want 5"},
		{"signature magic", at(96, 0), "reading signature header: magic got 00ade80100000000, want 8eade80100000000"},
		{"signature entries", at(107, 33), "reading signature header: index of 33 entries, want 1 to 32"},
		{"signature data", at(108, 4), "reading signature header: data of 67109044 bytes, want at most 67108864"},
		{"padding", padded, "reading signature header: padding got"},
	} {
		_, err := rpm.ReadPackage(bytes.NewReader(c.data))
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
}

// No memory is allocated for data that a header names and that does not come.
func TestReadHeaderMemory(t *testing.T) {
	data := rpmtest.Build(binary)
	p := parse(t, data)
	start := data[:p.PayloadOffset-p.Header.Size()]
	huge := append(bytes.Clone(start), "\x8e\xad\xe8\x01\x00\x00\x00\x00"...)
	huge = append(huge, words(0xffff, 1<<28-1)...)
	huge = append(huge, make([]byte, 5000)...)
	if got := allocated(func() {
		if _, err := rpm.ReadPackage(bytes.NewReader(huge)); err == nil {
			t.Error("no error")
		}
	}); got > 3<<20 {
		t.Errorf("a header without its data took %d bytes", got)
	}
}

func TestLead(t *testing.T) {
	long := strings.Repeat("n", 80)
	for _, c := range []struct {
		lead   rpm.Lead
		name   string
		source bool
	}{
		{rpm.MakeLead("hello-1-1", false, 1), "hello-1-1", false},
		{rpm.MakeLead(long, true, 1), long[:65], true},
	} {
		if c.lead.Name() != c.name || c.lead.IsSource() != c.source {
			t.Errorf("got %q, %t, want %q, %t", c.lead.Name(), c.lead.IsSource(), c.name, c.source)
		}
	}
}

func TestFilesErrors(t *testing.T) {
	for _, c := range []struct {
		value rpm.Value
		want  string
	}{
		{rpm.Int32Value(rpm.TagDirIndexes, 0), "reading file list: 5 names, 1 directory indexes"},
		{rpm.Int32Value(rpm.TagDirIndexes, 0, 1, 1, 1, 3), "reading file list: long: directory 3 of 3"},
		{rpm.Int32Value(rpm.TagFileSizes, 1), "reading file list: tag 1028 has 1 values for 5 files"},
		{rpm.StringsValue(rpm.TagFileDigests, "a", "b"), "reading file list: tag 1035 has 2 values for 5 files"},
		{rpm.StringValue(rpm.TagFileModes, "a"), "reading file list: tag 1030 has 0 values for 5 files"},
		{rpm.Int64Value(rpm.TagLongFileSizes, 1<<63, 0, 0, 0, 0), "reading file list: /opt/hello: size 9223372036854775808"},
		{rpm.StringsValue(rpm.TagDirnames, "", strings.Repeat("a", 25<<20), ""), "reading file list: paths take more than 64 MiB"},
	} {
		if _, err := parse(t, header(with(c.value))).Files(); err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

func TestPackage(t *testing.T) {
	for _, c := range []struct {
		build     rpmtest.Package
		nevra     string
		source    bool
		sourceRPM string
	}{
		{binary, "hello-3:1.0-2.el6.x86_64", false, "hello-1.0-2.el6.src.rpm"},
		{source, "kernel-2.6.32-431.3.1.el6.src", true, ""},
		{rpmtest.Package{Name: "a", Version: "1", Release: "2", Source: true,
			Change: with(rpm.Int32Value(rpm.TagNoSource, 0))}, "a-1-2.nosrc", true, ""},
	} {
		p := parse(t, rpmtest.Build(c.build))
		if got := p.NEVRA().String(); got != c.nevra || p.IsSource() != c.source || p.SourceRPM() != c.sourceRPM || p.BuildTime() != c.build.BuildTime {
			t.Errorf("got %s, source %t, from %q, built %d; want %s, %t, %q, %d",
				got, p.IsSource(), p.SourceRPM(), p.BuildTime(), c.nevra, c.source, c.sourceRPM, c.build.BuildTime)
		}
	}
	if files, err := parse(t, rpmtest.Build(rpmtest.Package{Name: "a", Version: "1", Release: "2"})).Files(); files != nil || err != nil {
		t.Errorf("a package without files has %v, %v", files, err)
	}
}

// Packages of rpm 3 store complete paths.
func TestOldFilenames(t *testing.T) {
	data := header(func(values []rpm.Value) []rpm.Value {
		values = without(rpm.TagBasenames, rpm.TagDirnames, rpm.TagDirIndexes)(values)
		return append(values, rpm.StringsValue(rpm.TagOldFilenames, "/a", "/b", "/c", "/d", "/e"))
	})
	files, err := parse(t, data).Files()
	if err != nil || len(files) != 5 || files[4].Path != "/e" {
		t.Errorf("got %v, %v", files, err)
	}
}
