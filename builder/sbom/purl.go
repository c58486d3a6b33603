package sbom

import (
	"regexp"
	"strings"

	"github.com/package-url/packageurl-go"

	"namibuild/builder/rpm"
)

// evr returns the version and release of an RPM, with its epoch unless that is 0.
func evr(n rpm.NEVRA) string {
	if n.Epoch != "" && n.Epoch != "0" {
		return n.Epoch + ":" + n.Version + "-" + n.Release
	}
	return n.Version + "-" + n.Release
}

// oneWord matches a vendor's name that is usable as a namespace.
var oneWord = regexp.MustCompile(`^[A-Za-z0-9.]+$`)

// rpmPURL returns the purl of an RPM. Its namespace is the vendor in the header if
// that is one word (CentOS); otherwise it has none.
func rpmPURL(vendor string, n rpm.NEVRA) string {
	if !oneWord.MatchString(vendor) {
		vendor = ""
	}
	q := map[string]string{"arch": n.Arch}
	if n.Epoch != "" && n.Epoch != "0" {
		q["epoch"] = n.Epoch
	}
	return packageurl.NewPackageURL(packageurl.TypeRPM, strings.ToLower(vendor), n.Name, n.Version+"-"+n.Release, packageurl.QualifiersFromMap(q), "").ToString()
}

// distributor returns the name of a distribution as people write it.
func distributor(id string) string {
	switch id {
	case "centos":
		return "CentOS"
	case "debian":
		return "Debian"
	case "rocky":
		return "Rocky Linux"
	}
	return id
}
