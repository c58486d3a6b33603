// Package sbom is the bill of materials of a set: what its packages are, what
// they were made from, and what they were made with.
//
// A Bill names, each with its digest, its license in its own words and, where
// there is one, its purl:
//
//   - the packages, and of their files those that boot (below /boot);
//   - the SRPM and every file in it: the kernel's tarball, the vendor's patches;
//   - what the recipe adds: its patches, its files, the diff of all changes;
//   - the builder image and every package in it.
//
// It is written as SPDX 2.3 and as CycloneDX 1.6, both as JSON. The only time
// in them is the epoch of the plan, names and identifiers come from the content,
// everything is in a fixed order: the same set gives the same bytes. The other
// files of a package stand in its header, with their digests, and are not
// listed again.
package sbom

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"namibuild/builder/artifact"
	"namibuild/builder/buildroot"
	"namibuild/builder/plan"
	"namibuild/builder/source"
)

// Input is what a bill is about.
type Input struct {
	Plan   plan.Plan
	PlanID string
	// Set are the packages; their headers are read from Set.Dir.
	Set    artifact.Set
	Source source.Contents
	Root   buildroot.Root
	// Changes is the diff of what the recipe changed; empty: nothing.
	Changes string
	// Version is that of the namibuild that built the set; may be empty.
	Version string
}

// Bill is a bill of materials. It does not change.
type Bill struct {
	name      string // of the document
	version   string
	planID    string
	insecure  string
	tool      string
	created   time.Time
	items     []item
	relations []relation
	changes   string
}

// kind tells what an item is to the set.
type kind string

const (
	isPackage kind = "package" // made by the build
	isBoot    kind = "boot"    // a file of a package, below /boot
	isSRPM    kind = "srpm"
	isSource  kind = "source" // a file of the SRPM
	isPatch   kind = "patch"  // of the recipe
	isAdded   kind = "added"  // a file that the recipe adds
	isChanges kind = "changes"
	isImage   kind = "image"
	isTool    kind = "tool" // a package of the image
)

// item is one thing in a bill. What is not known is empty.
type item struct {
	kind
	name, version string
	file          string
	purl          string
	supplier      string
	url           string // where it was fetched from
	licenses      []string
	digests       []digest
	from          string // what it was built from, in words
	comment       string
}

// digest is lower-case hexadecimal; algorithm is as in source.Content.
type digest struct{ algorithm, hex string }

// verb relates two items.
type verb string

const (
	contains  verb = "contains"
	madeFrom  verb = "made from"
	madeWith  verb = "made with"
	patchedBy verb = "patched by"
)

type relation struct {
	from string
	verb
	to string
}

// New reads the packages' headers and makes the bill.
func New(in Input) (Bill, error) {
	l := &list{}
	if err := l.all(in); err != nil {
		return Bill{}, fmt.Errorf("listing what the set is made of: %w", err)
	}
	b := Bill{
		planID: in.PlanID, insecure: in.Plan.Insecure, tool: strings.TrimSuffix("namibuild-"+in.Version, "-"),
		created: time.Unix(in.Plan.SRPM.Epoch, 0).UTC(), items: l.items, relations: l.relations, changes: in.Changes,
	}
	b.name, b.version = l.name, l.version
	slices.SortFunc(b.items, func(x, y item) int { return strings.Compare(x.id(), y.id()) })
	slices.SortFunc(b.relations, relation.compare)
	return b, nil
}

func (r relation) compare(s relation) int {
	return slices.Compare([]string{r.from, string(r.verb), r.to}, []string{s.from, string(s.verb), s.to})
}

// notInID is what SPDX allows in no identifier.
var notInID = regexp.MustCompile(`[^A-Za-z0-9.]+`)

// id names an item: readable, and by a digest of what tells it from others.
func (i item) id() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %q %q", i.kind, i.name, i.version, i.file, i.purl, i.digests))
	return strings.Trim(notInID.ReplaceAllString(fmt.Sprintf("%s-%s", i.kind, i.name), "-"), "-") + fmt.Sprintf("-%x", sum[:6])
}

// of gives the items of a kind.
func (b Bill) of(k kind) []item {
	return slices.DeleteFunc(slices.Clone(b.items), func(i item) bool { return i.kind != k })
}

// related are the identifiers that an item has a relation to.
func (b Bill) related(from string, verbs ...verb) []string {
	var all []string
	for _, r := range b.relations {
		if r.from == from && slices.Contains(verbs, r.verb) {
			all = append(all, r.to)
		}
	}
	return all
}
