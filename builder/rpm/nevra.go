package rpm

import (
	"cmp"
	"strconv"
)

// NEVRA is the full name of a package: name, epoch, version, release, architecture.
// Arch is "src" for an SRPM, or "nosrc" if sources are left out. Epoch is decimal, or
// empty, which counts as 0.
type NEVRA struct {
	Name    string `json:"name"`
	Epoch   string `json:"epoch,omitempty"`
	Version string `json:"version"`
	Release string `json:"release"`
	Arch    string `json:"arch"`
}

// NEVRA returns the package's full name.
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

// String returns name-[epoch:]version-release.arch.
func (n NEVRA) String() string {
	version := n.Version
	if n.Epoch != "" {
		version = n.Epoch + ":" + version
	}
	return n.Name + "-" + version + "-" + n.Release + "." + n.Arch
}

// Filename returns the name that rpmbuild gives the file. It has no epoch.
func (n NEVRA) Filename() string {
	return n.Name + "-" + n.Version + "-" + n.Release + "." + n.Arch + ".rpm"
}

// Compare compares two packages of the same name by epoch, version and release. It
// returns -1 if n is older than m, 1 if it is newer. Names and architectures are
// ignored.
func (n NEVRA) Compare(m NEVRA) int {
	return cmp.Or(
		compareNumbers(cmp.Or(n.Epoch, "0"), cmp.Or(m.Epoch, "0")),
		CompareVersions(n.Version, m.Version),
		CompareVersions(n.Release, m.Release),
	)
}
