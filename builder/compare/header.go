package compare

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"namibuild/builder/rpm"
)

// tagCauses are the tags that differ for one cause only.
var tagCauses = map[rpm.Tag]*Cause{
	rpm.TagBuildTime:         clock,
	rpm.TagBuildHost:         host,
	rpm.TagCookie:            clock, // it holds the build host and the time
	rpm.TagRPMVersion:        toolchain,
	rpm.TagOptFlags:          macros,
	rpm.TagPlatform:          macros,
	rpm.TagVendor:            macros,
	rpm.TagPackager:          macros,
	tagDistribution:          macros,
	tagBugURL:                macros,
	rpm.TagPayloadFlags:      macros,
	rpm.TagPayloadCompressor: macros,
}

// Tags that builder/rpm has no name for, by rpm's lib/rpmtag.h.
const (
	tagDistribution rpm.Tag = 1010
	tagBugURL       rpm.Tag = 5012
)

// stageTags are only in packages that rpmbuild -ba makes.
var stageTags = []rpm.Tag{rpm.TagCookie, rpm.TagSourcePkgID}

// payloadTags follow from the payload.
var payloadTags = []rpm.Tag{rpm.TagPayloadDigest, rpm.TagPayloadDigestAlt, rpm.TagArchiveSize}

// pathTags list the files. Missing files were found in the payload.
var pathTags = []rpm.Tag{rpm.TagBasenames, rpm.TagDirnames, rpm.TagDirIndexes, rpm.TagOldFilenames}

// headers compares two headers tag by tag and reports whether they differ.
func (c *comparer) headers(a, b opened) bool {
	var one, two bytes.Buffer
	a.Header.WriteTo(&one) // a write to a buffer does not fail
	b.Header.WriteTo(&two)
	if bytes.Equal(one.Bytes(), two.Bytes()) {
		return false
	}
	before := c.found.size()
	c.ghosts(a.files, b.files, func(p Place) { c.found.unexplained(p, exists, missing) })
	c.ghosts(b.files, a.files, func(p Place) { c.found.unexplained(p, missing, exists) })
	for _, t := range slices.Compact(slices.Sorted(slices.Values(slices.Concat(a.Header.Tags(), b.Header.Tags())))) {
		if !bytes.Equal(rawValue(a.Header, t), rawValue(b.Header, t)) {
			c.tag(t, a, b)
		}
	}
	if c.found.size() == before {
		c.found.unexplained(Place{Field: "layout of the header"}, fmt.Sprintf("%d bytes", one.Len()), fmt.Sprintf("%d bytes", two.Len()))
	}
	return true
}

// ghosts calls lacking for every %ghost file that the other side has not. A
// package owns these files without holding them, so the payload does not show
// them.
func (c *comparer) ghosts(files, others []rpm.File, lacking func(Place)) {
	inOthers := map[string]bool{}
	for _, f := range others {
		inOthers[f.Path] = true
	}
	for _, f := range files {
		if f.Flags&rpm.FlagGhost != 0 && !inOthers[f.Path] {
			lacking(Place{File: f.Path, Field: "ghost"})
		}
	}
}

// tag records a tag that differs, and why.
func (c *comparer) tag(t rpm.Tag, a, b opened) {
	p := Place{Tag: t.Name()}
	x, y := shown(a.Header, t), shown(b.Header, t)
	inBoth := a.Header.Has(t) && b.Header.Has(t)
	switch {
	case !inBoth && slices.Contains(stageTags, t):
		c.found.cause(buildStage, p, x, y)
	case !inBoth:
		c.found.unexplained(p, x, y)
	case t == rpm.TagPayloadFlags && threads(x) != threads(y) && unthreaded(x) == unthreaded(y):
		c.found.cause(jobs, p, x, y)
	case tagCauses[t] != nil:
		c.found.cause(tagCauses[t], p, x, y)
	case t == rpm.TagSourcePkgID:
		c.found.follows("the SRPM, which was made again", p, x, y)
	case slices.Contains(payloadTags, t):
		c.found.follows("the payload", p, x, y)
	case fileTags[t] != nil:
		c.fileTag(t, a, b)
	case slices.Contains(pathTags, t):
		c.pathTag(p, a, b)
	case t == rpm.TagClassDict, t == rpm.TagFileClass:
		c.classes(p, a, b)
	case t == rpm.TagSize || t == rpm.TagLongSize:
		c.total(p, a, b)
	default:
		c.texts(p, a.Header, b.Header, t)
	}
}

// threads returns the number of threads in the flags of a payload such as
// w2T16.xzdio.
func threads(flags string) string {
	_, after, _ := strings.Cut(flags, "T")
	return strings.TrimRight(after, ".abcdefghijklmnopqrstuvwxyz")
}

// unthreaded returns the flags of a payload without the number of threads.
func unthreaded(flags string) string { return strings.Replace(flags, "T"+threads(flags), "", 1) }

// texts explains two lists of texts that are equal but for names and dates, or but
// for the order.
func (c *comparer) texts(p Place, a, b *rpm.Header, t rpm.Tag) {
	one, two := a.Strings(t), b.Strings(t)
	if len(one) == 0 || len(one) != len(two) {
		c.found.unexplained(p, shown(a, t), shown(b, t))
		return
	}
	if slices.Equal(slices.Sorted(slices.Values(one)), slices.Sorted(slices.Values(two))) {
		c.found.order(p, one, two)
		return
	}
	for i := range one {
		if one[i] != two[i] && !c.pieces(p, 0, []byte(one[i]), []byte(two[i])) {
			c.found.unexplained(p, one[i], two[i])
		}
	}
}

// pathTag explains a tag that lists the files. If both packages have the same
// files, the header lists them in another order.
func (c *comparer) pathTag(p Place, a, b opened) {
	one, two := paths(a.files), paths(b.files)
	sortedOne, sortedTwo := slices.Sorted(slices.Values(one)), slices.Sorted(slices.Values(two))
	switch {
	case slices.Equal(one, two): // the same paths, encoded in another way
		c.found.unexplained(p, "", "")
	case slices.Equal(sortedOne, sortedTwo):
		c.found.order(p, one, two)
	default:
		c.found.follows("the list of files", p, fmt.Sprintf("%d files", len(one)), fmt.Sprintf("%d files", len(two)))
	}
}

// paths returns the paths of files.
func paths(files []rpm.File) []string {
	var all []string
	for _, f := range files {
		all = append(all, f.Path)
	}
	return all
}

// total explains the sum of the sizes of all files and folders.
func (c *comparer) total(p Place, a, b opened) {
	x, y := shown(a.Header, rpm.TagSize), shown(b.Header, rpm.TagSize)
	if slices.EqualFunc(a.files, b.files, func(f, g rpm.File) bool { return f.Size == g.Size }) {
		c.found.unexplained(p, x, y)
		return
	}
	c.found.follows("the sizes of the files", p, x, y)
}

// rawValue returns the value of a tag with its type, in one form for all types;
// nil if the header lacks the tag.
func rawValue(h *rpm.Header, t rpm.Tag) []byte {
	if !h.Has(t) {
		return nil
	}
	out := []byte{byte(h.Type(t))}
	out = append(out, h.Bytes(t)...)
	for _, s := range h.Strings(t) {
		out = append(append(out, s...), 0)
	}
	for _, n := range h.Ints(t) {
		out = append(strconv.AppendInt(out, n, 10), 0)
	}
	return out
}

// shown returns the value of a tag as people read it.
func shown(h *rpm.Header, t rpm.Tag) string {
	switch {
	case !h.Has(t):
		return missing
	case t == rpm.TagBuildTime:
		n, _ := h.Int(t)
		return unix(n)
	case len(h.Ints(t)) > 0:
		return strings.Trim(fmt.Sprint(h.Ints(t)), "[]")
	case len(h.Strings(t)) > 0:
		return strings.Join(h.Strings(t), ", ")
	}
	return hex.EncodeToString(h.Bytes(t))
}
