package buildroot

import (
	"strings"

	"github.com/package-url/packageurl-go"
)

// PURL returns the package URL of a package of the root. An RPM's epoch is a
// qualifier, Debian's is a part of the version, as purl defines these types.
func (r Root) PURL(p Package) string {
	q := map[string]string{"arch": p.Arch, "distro": r.Distribution + "-" + r.Release}
	kind, version := packageurl.TypeDebian, p.Version
	if p.Kind == RPM {
		kind = packageurl.TypeRPM
		if epoch, rest, ok := strings.Cut(p.Version, ":"); ok {
			q["epoch"], version = epoch, rest
		}
	}
	return packageurl.NewPackageURL(kind, r.Distribution, p.Name, version, packageurl.QualifiersFromMap(q), "").ToString()
}
