package sbom

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"namibuild/builder/artifact"
	"namibuild/builder/buildroot"
	"namibuild/builder/plan"
	"namibuild/builder/rpm"
	"namibuild/builder/source"
)

// list collects the items of an SBOM.
type list struct {
	name, version string
	items         []item
	relations     []relation
}

// add adds an item and returns its identifier.
func (l *list) add(i item) string {
	l.items = append(l.items, i)
	return i.id()
}

// relate adds a relation between two identifiers.
func (l *list) relate(from string, v verb, to string) {
	l.relations = append(l.relations, relation{from, v, to})
}

// all adds everything.
func (l *list) all(in Input) error {
	if len(in.Set.RPMs) == 0 {
		return errors.New("it has no package")
	}
	srpm := l.srpm(in.Plan, in.Source)
	l.changes(in, srpm)
	image := l.image(in.Plan, in.Root)
	added := l.added(in.Plan)
	for _, r := range in.Set.RPMs {
		id, err := l.rpm(in.Set.Dir, r)
		if err != nil {
			return err
		}
		l.relate(id, madeFrom, srpm)
		l.relate(id, madeWith, image)
		for _, a := range added {
			l.relate(id, madeFrom, a)
		}
	}
	return nil
}

// rpm adds a package and its files below /boot, and returns the package's
// identifier. The name of the set is that of the SRPM that the package names as its
// source, because that has the tag in it.
func (l *list) rpm(dir string, r artifact.RPM) (string, error) {
	p, files, err := readHeader(filepath.Join(dir, r.File))
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", r.File, err)
	}
	if p.NEVRA() != r.NEVRA {
		return "", fmt.Errorf("reading %s: it is %s, want %s", r.File, p.NEVRA(), r.NEVRA)
	}
	if l.name == "" {
		l.name, l.version = nameVersion(p.SourceRPM())
	}
	vendor := p.Header.String(rpm.TagVendor)
	id := l.add(item{
		kind: isPackage, name: r.NEVRA.Name, version: evr(r.NEVRA), file: r.File, purl: rpmPURL(vendor, r.NEVRA),
		supplier: vendor, licenses: nonEmpty(p.Header.String(rpm.TagLicense)), digests: []digest{{"sha256", r.SHA256}},
	})
	for _, f := range files {
		if strings.HasPrefix(f.Path, "/boot/") && f.Digest != "" && f.Flags&rpm.FlagGhost == 0 {
			l.relate(id, contains, l.add(item{
				kind: isBoot, name: f.Path, version: evr(r.NEVRA), file: f.Path, digests: []digest{{f.DigestAlgo.String(), f.Digest}},
			}))
		}
	}
	return id, nil
}

// readHeader reads the header of a package and the files that it lists.
func readHeader(path string) (*rpm.Package, []rpm.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	p, err := rpm.ReadPackage(f)
	if err != nil {
		return nil, nil, err
	}
	files, err := p.Files()
	return p, files, err
}

// srpm adds the SRPM and the files in it, and returns the SRPM's identifier.
func (l *list) srpm(p plan.Plan, c source.Contents) string {
	i := item{
		kind: isSRPM, name: c.Package.Name, version: evr(c.Package), file: p.SRPM.File, purl: rpmPURL(c.Vendor, c.Package),
		supplier: c.Vendor, url: p.Source.URL, licenses: nonEmpty(c.License), digests: []digest{{"sha256", p.SRPM.SHA256}},
	}
	if p.Source.SignedBy != "" {
		i.comment = "signed by the OpenPGP key " + p.Source.SignedBy
	}
	if p.Insecure != "" {
		i.comment = "NOT TRUSTED: it was taken although " + p.Insecure
	}
	id := l.add(i)
	for _, f := range c.Files {
		l.relate(id, contains, l.add(item{kind: isSource, name: f.File, file: f.File, digests: []digest{{f.Algorithm, f.Digest}}}))
	}
	return id
}

// changes adds what the recipe does to the SRPM's files.
func (l *list) changes(in Input, srpm string) {
	for _, p := range in.Plan.Patches {
		l.relate(srpm, patchedBy, l.add(item{kind: isPatch, name: filepath.Base(p.File), file: p.File, digests: []digest{{"sha256", p.SHA256}}}))
	}
	if in.Changes != "" {
		sum := sha256.Sum256([]byte(in.Changes))
		l.relate(srpm, patchedBy, l.add(item{
			kind: isChanges, name: "changes.diff", file: "changes.diff", digests: []digest{{"sha256", fmt.Sprintf("%x", sum)}},
			comment: "all that the recipe changes in the source: its tag, patches and edits as one diff",
		}))
	}
}

// added adds the files that the recipe adds to those of the SRPM, and returns their
// identifiers.
func (l *list) added(p plan.Plan) []string {
	var ids []string
	for _, a := range p.Sources {
		ids = append(ids, l.add(item{kind: isAdded, name: a.As, file: a.File, digests: []digest{{"sha256", a.SHA256}}}))
	}
	return ids
}

// image adds the builder image and the packages in it, and returns the image's
// identifier. Its version is the digest of its definition, because each engine gives
// an image of the same definition and packages another ID.
func (l *list) image(p plan.Plan, root buildroot.Root) string {
	id := l.add(item{
		kind: isImage, name: "namibuild/" + p.Image, version: p.ImageDigest,
		comment: fmt.Sprintf("builder image of %s %s; the version is the sha256 of its definition", root.Distribution, root.Release),
	})
	for _, p := range root.Packages {
		i := item{
			kind: isTool, name: p.Name, version: p.Version, purl: root.PURL(p), supplier: distributor(root.Distribution),
			licenses: names(p), from: p.Source,
		}
		if p.SHA256 != "" {
			i.digests = []digest{{"sha256", p.SHA256}}
		}
		if p.HeaderSHA1 != "" {
			i.comment = "sha1 of its rpm header: " + p.HeaderSHA1
		}
		l.relate(id, contains, l.add(i))
	}
	return id
}

// nameVersion splits name-version-release.src.rpm into the name and the rest.
func nameVersion(srpm string) (name, version string) {
	name = strings.TrimSuffix(strings.TrimSuffix(srpm, ".rpm"), ".src")
	if i := strings.LastIndexByte(name, '-'); i > 0 {
		if j := strings.LastIndexByte(name[:i], '-'); j > 0 {
			return name[:j], name[j+1:]
		}
	}
	return name, ""
}

// nonEmpty returns s as a list, which is nil if s is empty.
func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}
