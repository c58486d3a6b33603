package rpm

import "fmt"

// Change is one entry of a package's changelog.
type Change struct {
	// Time is noon of the day that the spec names, in seconds since 1970.
	Time         int64
	Author, Text string
}

// Changelog returns the package's changelog in the header's order, newest first. It
// fails if the header's lists differ in length.
func (p *Package) Changelog() ([]Change, error) {
	times := p.Header.Ints(TagChangelogTime)
	l := parallel{count: len(times), of: "changes"}
	authors, texts := l.texts(p.Header, TagChangelogName), l.texts(p.Header, TagChangelogText)
	if l.err != nil {
		return nil, fmt.Errorf("reading changelog: %w", l.err)
	}
	list := make([]Change, len(times))
	for i, t := range times {
		list[i] = Change{t, authors[i], texts[i]}
	}
	return list, nil
}
