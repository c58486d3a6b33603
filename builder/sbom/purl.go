package sbom

import (
	"regexp"
	"strings"

	"github.com/package-url/packageurl-go"

	"namibuild/builder/rpm"
)

// evr is an RPM's version as purl and SPDX want it: without the epoch 0.
func evr(n rpm.NEVRA) string {
	if n.Epoch != "" && n.Epoch != "0" {
		return n.Epoch + ":" + n.Version + "-" + n.Release
	}
	return n.Version + "-" + n.Release
}

var oneWord = regexp.MustCompile(`^[A-Za-z0-9.]+$`)

// rpmPURL names an RPM. Its namespace is the vendor in its header, where that
// is one word (CentOS); a package that names no vendor is nobody's.
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

// distributor is a distribution as people write it.
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
