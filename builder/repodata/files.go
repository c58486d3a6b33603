package repodata

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/klauspost/compress/gzip"
)

// These are the XML namespaces of the lists.
const (
	nsRepo      = "http://linux.duke.edu/metadata/repo"
	nsRPM       = "http://linux.duke.edu/metadata/rpm"
	nsCommon    = "http://linux.duke.edu/metadata/common"
	nsFilelists = "http://linux.duke.edu/metadata/filelists"
	nsOther     = "http://linux.duke.edu/metadata/other"
)

// repomd is the index of a repository.
type repomd struct {
	XMLName  struct{} `xml:"repomd"`
	XMLNS    string   `xml:"xmlns,attr,omitempty"`
	XMLNSRPM string   `xml:"xmlns:rpm,attr,omitempty"`
	Revision int64    `xml:"revision"`
	Lists    []list   `xml:"data"`
}

// list is one list in the index.
type list struct {
	Type         string   `xml:"type,attr"`
	Checksum     checksum `xml:"checksum"`
	OpenChecksum checksum `xml:"open-checksum"`
	Location     location `xml:"location"`
	Timestamp    int64    `xml:"timestamp"`
	Size         int64    `xml:"size"`      // bytes
	OpenSize     int64    `xml:"open-size"` // bytes, decompressed
}

// makeFiles makes all files of repodata/.
func makeFiles(packages []facts, epoch int64, sign func([]byte) ([]byte, error)) ([]File, error) {
	lists, err := packageLists(packages, epoch)
	if err != nil {
		return nil, err
	}
	md := repomd{XMLNS: nsRepo, XMLNSRPM: nsRPM, Revision: epoch}
	var files []File
	for _, l := range lists {
		packed, err := compress(l.data)
		if err != nil {
			return nil, fmt.Errorf("compressing %s: %w", l.name, err)
		}
		name := hexSum(packed) + "-" + l.name + ".xml.gz"
		files = append(files, File{folder + "/" + name, packed})
		md.Lists = append(md.Lists, list{Type: l.name, Checksum: checksum{Type: "sha256", Hex: hexSum(packed)},
			OpenChecksum: checksum{Type: "sha256", Hex: hexSum(l.data)}, Location: location{folder + "/" + name},
			Timestamp: epoch, Size: int64(len(packed)), OpenSize: int64(len(l.data))})
	}
	page, err := xml.MarshalIndent(md, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("making %s: %w", index, err)
	}
	page = append([]byte(xml.Header), append(page, '\n')...)
	files = append(files, File{folder + "/" + index, page})
	if sign == nil {
		return files, nil
	}
	sig, err := sign(page)
	if err != nil {
		return nil, fmt.Errorf("signing %s: %w", index, err)
	}
	return append(files, File{folder + "/" + signature, sig}), nil
}

// plainList is a list that is not compressed.
type plainList struct {
	name string
	data []byte
}

// packageLists returns the lists primary, filelists and other, not compressed.
func packageLists(packages []facts, epoch int64) ([]plainList, error) {
	var primary, filelists, other []any
	for _, f := range packages {
		p, err := f.primary(epoch)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", f.Path, err)
		}
		o, err := f.other()
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", f.Path, err)
		}
		primary, filelists, other = append(primary, p), append(filelists, f.filelists()), append(other, o)
	}
	var lists []plainList
	for _, l := range []struct {
		name, root, spaces string
		packages           []any
	}{
		{"primary", "metadata", `xmlns="` + nsCommon + `" xmlns:rpm="` + nsRPM + `"`, primary},
		{"filelists", "filelists", `xmlns="` + nsFilelists + `"`, filelists},
		{"other", "otherdata", `xmlns="` + nsOther + `"`, other},
	} {
		data, err := encode(l.root, l.spaces, l.packages)
		if err != nil {
			return nil, fmt.Errorf("making %s: %w", l.name, err)
		}
		lists = append(lists, plainList{l.name, data})
	}
	return lists, nil
}

// encode returns a list as XML.
func encode(root, spaces string, packages []any) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s<%s %s packages=\"%d\">\n", xml.Header, root, spaces, len(packages))
	e := xml.NewEncoder(&b)
	e.Indent("", "  ")
	for _, p := range packages {
		if err := e.Encode(p); err != nil {
			return nil, err
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "</%s>\n", root)
	return b.Bytes(), nil
}

// compress compresses data by gzip, without a time or a name. The version of the library
// is in go.mod, so that another Go toolchain writes the same bytes.
func compress(data []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func hexSum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// clean returns a text of a header as XML permits it. Text that is not UTF-8 is read as
// ISO 8859-1, which older packages use. Control characters are removed.
func clean(s string) string {
	if !utf8.ValidString(s) {
		var b strings.Builder
		for _, c := range []byte(s) {
			b.WriteRune(rune(c))
		}
		s = b.String()
	}
	return strings.Map(func(c rune) rune {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' || 0x7f <= c && c < 0xa0 {
			return -1
		}
		return c
	}, s)
}
