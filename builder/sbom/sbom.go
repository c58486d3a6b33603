// Package sbom makes the software bill of materials (SBOM) of a set: what its
// packages are, what they were made from, and what they were made with.
//
// An SBOM lists, each with its digest, its license as declared and its purl if it
// has one:
//
//   - the packages, and their files below /boot;
//   - the SRPM and every file in it: the kernel's tarball, the vendor's patches;
//   - what the recipe adds: its patches, its files, the diff of all changes;
//   - the builder image and every package in it.
//
// It does not list the other files of a package, because the package's header has
// them with their digests.
//
// An SBOM can be written as SPDX 2.3 and as CycloneDX 1.6, both as JSON. The same
// set gives the same bytes: the only time is the epoch of the plan, the names and
// identifiers come from the content, and the order is fixed.
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

// Input is what an SBOM is about.
type Input struct {
	Plan   plan.Plan
	PlanID string
	// Set holds the packages. New reads their headers from Set.Dir.
	Set    artifact.Set
	Source source.Contents
	Root   buildroot.Root
	// Changes is the diff of what the recipe changed; empty if it changed nothing.
	Changes string
	// Version is the version of the namibuild that built the set. It may be empty.
	Version string
}

// SBOM is a software bill of materials. It does not change after it is made.
type SBOM struct {
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

// kind says what an item is to the set.
type kind string

const (
	isPackage kind = "package" // made by the build
	isBoot    kind = "boot"    // a file of a package, below /boot
	isSRPM    kind = "srpm"
	isSource  kind = "source"  // a file of the SRPM
	isPatch   kind = "patch"   // of the recipe
	isAdded   kind = "added"   // a file that the recipe adds
	isChanges kind = "changes" // the diff of what the recipe changes
	isImage   kind = "image"
	isTool    kind = "tool" // a package of the image
)

// item is one thing in an SBOM. What is not known is empty.
type item struct {
	kind
	name, version string
	file          string
	purl          string
	supplier      string
	url           string // where it was fetched from
	licenses      []string
	digests       []digest
	from          string // the name of what it was built from
	comment       string
}

// digest is a digest in lower-case hexadecimal. The algorithm is named as in
// source.Content.
type digest struct{ algorithm, hex string }

// verb says how an item relates to another.
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

// New reads the headers of the packages and makes the SBOM.
func New(in Input) (SBOM, error) {
	l := &list{}
	if err := l.all(in); err != nil {
		return SBOM{}, fmt.Errorf("listing what the set is made of: %w", err)
	}
	s := SBOM{
		planID: in.PlanID, insecure: in.Plan.Insecure, tool: strings.TrimSuffix("namibuild-"+in.Version, "-"),
		created: time.Unix(in.Plan.SRPM.Epoch, 0).UTC(), items: l.items, relations: l.relations, changes: in.Changes,
	}
	s.name, s.version = l.name, l.version
	slices.SortFunc(s.items, func(x, y item) int { return strings.Compare(x.id(), y.id()) })
	slices.SortFunc(s.relations, relation.compare)
	return s, nil
}

func (r relation) compare(s relation) int {
	return slices.Compare([]string{r.from, string(r.verb), r.to}, []string{s.from, string(s.verb), s.to})
}

// notInID matches what an identifier of SPDX must not contain.
var notInID = regexp.MustCompile(`[^A-Za-z0-9.]+`)

// id returns the identifier of an item: its kind, its name, and a digest of what
// distinguishes it from others.
func (i item) id() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %q %q", i.kind, i.name, i.version, i.file, i.purl, i.digests))
	return strings.Trim(notInID.ReplaceAllString(fmt.Sprintf("%s-%s", i.kind, i.name), "-"), "-") + fmt.Sprintf("-%x", sum[:6])
}

// of returns the items of a kind.
func (s SBOM) of(k kind) []item {
	return slices.DeleteFunc(slices.Clone(s.items), func(i item) bool { return i.kind != k })
}

// related returns the identifiers of the items to which an item is related by one
// of these verbs.
func (s SBOM) related(from string, verbs ...verb) []string {
	var all []string
	for _, r := range s.relations {
		if r.from == from && slices.Contains(verbs, r.verb) {
			all = append(all, r.to)
		}
	}
	return all
}
