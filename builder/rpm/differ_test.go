package rpm_test

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"namibuild/builder/rpm"
)

// payloads are the formats that rpmbuild 4.18 writes.
var payloads = map[string]string{
	"gzip": "w9.gzdio", "bzip2": "w9.bzdio", "xz": "w2.xzdio", "lzma": "w2.lzdio", "zstd": "w3.zstdio", "none": "w6.ufdio",
}

// built returns the packages that real rpmbuild makes of testdata/everything.spec
// with a payload format, by file name: an SRPM and its binary packages.
func built(t *testing.T, payload string) map[string][]byte {
	t.Helper()
	top := t.TempDir()
	args := []string{"-ba", "--nodeps", "--quiet"}
	for _, d := range []string{
		"_topdir " + top, "_sourcedir testdata", "_binary_payload " + payload, "_source_payload " + payload,
		"_buildhost test", "use_source_date_epoch_as_buildtime 1", "__os_install_post %{nil}",
	} {
		args = append(args, "--define", d)
	}
	t.Setenv("SOURCE_DATE_EPOCH", "1389000000")
	run(t, nil, "rpmbuild", append(args, "testdata/everything.spec")...)
	packages := map[string][]byte{}
	for _, pattern := range []string{"RPMS/*/*.rpm", "SRPMS/*.rpm"} {
		files, err := filepath.Glob(filepath.Join(top, pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %v", pattern, files, err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			packages[filepath.Base(file)] = data
		}
	}
	return packages
}

// rpm and we read the same from packages that rpmbuild makes, with everything that
// a spec can say and in every payload format.
func TestRPMAgreesOnBuiltPackages(t *testing.T) {
	for name, payload := range payloads {
		t.Run(name, func(t *testing.T) {
			packages := built(t, payload)
			if len(packages) != 3 {
				t.Fatalf("%d packages", len(packages))
			}
			for file, data := range packages {
				if p, err := rpm.Verify(bytes.NewReader(data)); err != nil || p.NEVRA().Filename() != file {
					t.Errorf("%s: %v", file, err)
				}
				if got := cmp.Or(parse(t, data).Header.String(rpm.TagPayloadCompressor), "none"); got != name {
					t.Errorf("%s: payload format %s", file, got)
				}
				path := store(t, data)
				agreeOnHeader(t, path, data)
				agree(t, path, data)
				agreeOnPayload(t, path, data)
			}
		})
	}
}

// rpm and we read the same fields from every genuine and every made package.
func TestRPMAgreesOnHeaders(t *testing.T) {
	for name, data := range genuine(t) {
		t.Run(name, func(t *testing.T) { agreeOnHeader(t, store(t, data), data) })
	}
	for i, data := range seeds(t) {
		t.Run(fmt.Sprint("made ", i), func(t *testing.T) { agreeOnHeader(t, store(t, data), data) })
	}
}

// field is a tag with its values as text.
type field struct {
	Name   string
	Values []string
}

// agreeOnHeader compares every field of both headers with what rpm prints of it, and
// every language of the translated fields.
func agreeOnHeader(t *testing.T, file string, data []byte) {
	t.Helper()
	p := parse(t, data)
	if diff := gocmp.Diff(theirFields(run(t, nil, "rpm", "-qp", "--nosignature", "--xml", file)), ourFields(t, p)); diff != "" {
		t.Errorf("%s: %s", p.NEVRA(), diff)
	}
	for i, language := range p.Header.Strings(rpm.TagI18nTable) {
		for tag, name := range map[rpm.Tag]string{rpm.TagSummary: "SUMMARY", rpm.TagDescription: "DESCRIPTION", rpm.TagGroup: "GROUP"} {
			texts := p.Header.Strings(tag)
			if i >= len(texts) || p.Header.Type(tag) != rpm.TypeI18nString {
				continue
			}
			want := run(t, nil, "env", "LC_ALL=", "LANGUAGE="+language, "LANG="+language, "rpm", "-qp", "--nosignature", "--qf", "%{"+name+"}", file)
			if got := cmp.Or(texts[i], texts[0]); got != want {
				t.Errorf("%s in %s: got %q, rpm says %q", name, language, got, want)
			}
		}
	}
}

var (
	xmlTag   = regexp.MustCompile(`(?s)<rpmTag name="(\w+)">(.*?)</rpmTag>`)
	xmlValue = regexp.MustCompile(`(?s)<(string|integer|base64)(?:/>|>(.*?)</(?:string|integer|base64)>)`)
)

// theirFields reads rpm's XML. For old packages it is not always UTF-8, so XML
// readers refuse it.
func theirFields(page string) []field {
	var all []field
	for _, tag := range xmlTag.FindAllStringSubmatch(page, -1) {
		f := field{Name: strings.ToUpper(tag[1])}
		for _, v := range xmlValue.FindAllStringSubmatch(tag[2], -1) {
			text := html.UnescapeString(v[2])
			if v[1] == "base64" {
				text = strings.ReplaceAll(text, "\n", "")
			}
			f.Values = append(f.Values, text)
		}
		all = append(all, f)
	}
	return all
}

// merged are the tags under which rpm shows values of the signature header
// (lib/package.c, headerMergeLegacySigs). Others keep their number.
var merged = map[rpm.Tag]struct {
	tag  rpm.Tag
	name string
}{
	rpm.SigTagSize: {257, "SIGSIZE"}, rpm.SigTagPGP: {259, "SIGPGP"}, rpm.SigTagMD5: {261, "SIGMD5"}, rpm.SigTagGPG: {262, "SIGGPG"},
	rpm.SigTagPayloadSize: {1046, "ARCHIVESIZE"}, rpm.SigTagSHA1: {269, "SHA1HEADER"}, rpm.SigTagSHA256: {273, "SHA256HEADER"},
	rpm.SigTagDSA: {267, "DSAHEADER"}, rpm.SigTagRSA: {268, "RSAHEADER"}, rpm.SigTagLongSize: {270, "LONGSIGSIZE"},
	rpm.SigTagLongPayloadSize: {271, "LONGARCHIVESIZE"},
}

// rhnPlatform is a tag of old packages that rpm no longer has a name for and does
// not print.
const rhnPlatform rpm.Tag = 1131

// ourFields returns the fields of both headers in rpm's order and words.
func ourFields(t *testing.T, p *rpm.Package) []field {
	t.Helper()
	type numbered struct {
		field
		tag rpm.Tag
	}
	var all []numbered
	for _, tag := range p.Header.Tags() {
		if tag == rhnPlatform {
			continue
		}
		all = append(all, numbered{field{tag.Name(), values(p.Header, tag)}, tag})
	}
	for _, tag := range p.Signature.Tags() {
		if m, ok := merged[tag]; ok && !p.Header.Has(m.tag) {
			all = append(all, numbered{field{m.name, values(p.Signature, tag)}, m.tag})
		}
	}
	slices.SortStableFunc(all, func(a, b numbered) int { return cmp.Compare(a.tag, b.tag) })
	var fields []field
	for _, n := range all {
		fields = append(fields, n.field)
	}
	return fields
}

// values returns the values of a tag as rpm's XML has them.
func values(h *rpm.Header, tag rpm.Tag) []string {
	switch h.Type(tag) {
	case rpm.TypeBinary:
		return []string{base64.StdEncoding.EncodeToString(h.Bytes(tag))}
	case rpm.TypeString, rpm.TypeStringArray, rpm.TypeI18nString:
		return h.Strings(tag)
	}
	var list []string
	for _, n := range h.Ints(tag) {
		list = append(list, strconv.FormatUint(uint64(n), 10))
	}
	return list
}
