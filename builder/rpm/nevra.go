package rpm

import (
	"cmp"
	"strconv"
)

// NEVRA is the full name of a package. Arch is "src" for an SRPM ("nosrc" when
// sources are left out). Epoch is decimal or empty; empty counts as 0.
type NEVRA struct {
	Name    string `json:"name"`
	Epoch   string `json:"epoch,omitempty"`
	Version string `json:"version"`
	Release string `json:"release"`
	Arch    string `json:"arch"`
}

// NEVRA is the package's full name.
func (p *Package) NEVRA() NEVRA {
	n := NEVRA{
		Name:    p.Header.String(TagName),
		Version: p.Header.String(TagVersion),
		Release: p.Header.String(TagRelease),
		Arch:    p.Header.String(TagArch),
	}
	if epoch, ok := p.Header.Int(TagEpoch); ok {
		n.Epoch = strconv.FormatInt(epoch, 10)
	}
	if p.IsSource() {
		n.Arch = "src"
		if p.Header.Has(TagNoSource) || p.Header.Has(TagNoPatch) {
			n.Arch = "nosrc"
		}
	}
	return n
}

// String is name-[epoch:]version-release.arch.
func (n NEVRA) String() string {
	version := n.Version
	if n.Epoch != "" {
		version = n.Epoch + ":" + version
	}
	return n.Name + "-" + version + "-" + n.Release + "." + n.Arch
}

// Filename is what rpmbuild calls the file: the epoch is not in it.
func (n NEVRA) Filename() string {
	return n.Name + "-" + n.Version + "-" + n.Release + "." + n.Arch + ".rpm"
}

// Compare orders two packages of one name by epoch, version and release: -1
// when n is older than m, 1 when it is newer. Names and architectures are not
// looked at.
func (n NEVRA) Compare(m NEVRA) int {
	return cmp.Or(
		compareNumbers(cmp.Or(n.Epoch, "0"), cmp.Or(m.Epoch, "0")),
		CompareVersions(n.Version, m.Version),
		CompareVersions(n.Release, m.Release),
	)
}
