package compare

import (
	"fmt"
	"strconv"
	"strings"

	"namibuild/builder/rpm"
)

const (
	modeType  = 0o170000
	directory = 0o040000
)

// fileTag says how to compare a tag that has a value for every file.
type fileTag struct {
	// explain records that the values of file f differ, and why.
	explain func(c *comparer, p Place, f rpm.File, a, b string)
}

// fileTags are the tags that are compared file by file.
var fileTags = map[rpm.Tag]*fileTag{
	rpm.TagFileMtimes:      {becauseOf(mtimes)},
	rpm.TagFileDevices:     {becauseOf(device)},
	rpm.TagFileInodes:      {becauseOf(inode)},
	rpm.TagFileUsername:    {becauseOf(user)},
	rpm.TagFileGroupname:   {becauseOf(user)},
	rpm.TagFileSizes:       {sizeDiffers},
	rpm.TagLongFileSizes:   {sizeDiffers},
	rpm.TagFileDigests:     {digestDiffers},
	rpm.TagFileLinktos:     {digestDiffers},
	rpm.TagFileModes:       {(*comparer).noReason},
	rpm.TagFileRdevs:       {(*comparer).noReason},
	rpm.TagFileFlags:       {(*comparer).noReason},
	rpm.TagFileVerifyFlags: {(*comparer).noReason},
	rpm.TagFileLangs:       {(*comparer).noReason},
	rpm.TagFileColors:      {(*comparer).noReason},
}

// becauseOf explains a tag that differs for one reason alone.
func becauseOf(cause *Cause) func(*comparer, Place, rpm.File, string, string) {
	return func(c *comparer, p Place, _ rpm.File, a, b string) { c.found.cause(cause, p, a, b) }
}

// noReason records that nothing explains the values.
func (c *comparer) noReason(p Place, _ rpm.File, a, b string) { c.found.unexplained(p, a, b) }

// sizeDiffers explains a size: a folder's comes from the file system, a file's
// from its content.
func sizeDiffers(c *comparer, p Place, f rpm.File, a, b string) {
	switch {
	case f.Mode&modeType == directory:
		c.found.cause(dirSize, p, a, b)
	default:
		c.byContent(p, f, a, b)
	}
}

// digestDiffers explains a digest or the target of a link.
func digestDiffers(c *comparer, p Place, f rpm.File, a, b string) { c.byContent(p, f, a, b) }

// byContent explains a value that follows from the file's content.
func (c *comparer) byContent(p Place, f rpm.File, a, b string) {
	if c.changed[f.Path] {
		c.found.follows("the content of the file", p, a, b)
	} else {
		c.found.unexplained(p, a, b)
	}
}

// fileTag compares the values of a tag for the files that both packages have.
func (c *comparer) fileTag(t rpm.Tag, a, b opened) {
	one, two := values(a.Header, t), values(b.Header, t)
	if len(one) != len(a.files) || len(two) != len(b.files) {
		c.found.unexplained(Place{Tag: t.Name()}, fmt.Sprintf("%d values", len(one)), fmt.Sprintf("%d values", len(two)))
		return
	}
	other := map[string]string{}
	for i, f := range b.files {
		other[f.Path] = two[i]
	}
	before := c.found.size()
	for i, f := range a.files {
		if y, ok := other[f.Path]; ok && y != one[i] {
			fileTags[t].explain(c, Place{Tag: t.Name(), File: f.Path}, f, shownFor(t, one[i]), shownFor(t, y))
		}
	}
	if c.found.size() == before { // the lists differ, but not in the files that both packages have
		c.pathTag(Place{Tag: t.Name()}, a, b)
	}
}

// values returns the values of a tag as text.
func values(h *rpm.Header, t rpm.Tag) []string {
	if list := h.Strings(t); list != nil {
		return list
	}
	var all []string
	for _, n := range h.Ints(t) {
		all = append(all, strconv.FormatInt(n, 10))
	}
	return all
}

// shownFor returns one value of a file tag as people read it.
func shownFor(t rpm.Tag, value string) string {
	n, err := strconv.ParseInt(value, 10, 64)
	switch {
	case err != nil:
		return value
	case t == rpm.TagFileMtimes:
		return unix(n)
	case t == rpm.TagFileModes:
		return strconv.FormatInt(n, 8)
	}
	return value
}

// classes compares what file(1) said of each file. It reads the time in a gzip
// header, the interpreter of a script and the build-id of a program.
func (c *comparer) classes(p Place, a, b opened) {
	one, two := classOf(a), classOf(b)
	before := c.found.size()
	for _, f := range a.files {
		x, y := one[f.Path], two[f.Path]
		at := p
		at.File = f.Path
		switch _, inBoth := two[f.Path]; {
		case !inBoth || x == y:
		case strings.Contains(x, "gzip compressed") && strings.Contains(y, "gzip compressed") && c.changed[f.Path]:
			c.found.cause(gzipStamp, at, x, y)
		case c.changed[f.Path]:
			c.found.follows("the content of the file", at, x, y)
		default:
			c.found.unexplained(at, x, y)
		}
	}
	if c.found.size() == before { // the same classes, numbered in another order
		c.found.follows("the order and the classes of the files", p, "", "")
	}
}

// classOf returns the class of each file by its path.
func classOf(o opened) map[string]string {
	all := map[string]string{}
	dict, numbers := o.Header.Strings(rpm.TagClassDict), o.Header.Ints(rpm.TagFileClass)
	for i, f := range o.files {
		if i < len(numbers) && numbers[i] >= 0 && numbers[i] < int64(len(dict)) {
			all[f.Path] = dict[numbers[i]]
		}
	}
	return all
}
