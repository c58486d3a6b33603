package set

import (
	"path"
	"strings"
)

// The names of the folders and files of sets and releases.
const (
	RPMS  = "RPMS"
	SRPMS = "SRPMS"

	RecordFile     = "build.json"
	LogFile        = "build.log"
	BuildRootFile  = "buildroot.json"         // the packages of the builder image
	ChangesFile    = "changes.diff"           // what the recipe changed in the source
	SignaturesFile = "module-signatures.json" // the signatures of all modules, by the digests of the modules

	ProofFile    = "proof.json"
	ProofLogFile = "proof.log" // the console of the boot
	BenchFile    = "bench.json"
	BenchCSV     = "bench.csv"
	BenchSVG     = "bench.svg"
	BenchPNG     = "bench.png"

	SPDXFile       = "sbom.spdx.json"
	CycloneDXFile  = "sbom.cdx.json"
	ProvenanceFile = "provenance.json"

	ReleaseFile  = "release.json"
	PageFile     = "index.html"
	SumsFile     = "SHA256SUMS"
	SignatureEnd = ".asc" // behind the name of the file that is signed
	KeyPrefix    = "RPM-GPG-KEY-"
	Repodata     = "repodata"

	// FailedLog is the log of the last build that failed, FailedRPMS the packages of
	// one that did not make all that was wanted. They are part of no set.
	FailedLog  = "failed.log"
	FailedRPMS = "failed.RPMS"
)

// lockPattern matches the locks, which bear the names of recipes.
const lockPattern = "*.lock"

// Role is what a file is for, beside lying in a folder.
type Role int

// The roles of a file. A file can have several.
const (
	// OfBuild is an entry of the set of one build: the next build into the same
	// folder replaces or removes it.
	OfBuild Role = 1 << iota
	// Published is copied from the set into the release.
	Published
	// Byproduct is named in the provenance, as something that says how the packages
	// were built.
	Byproduct
	// Referrer is attached to the release in a registry a second time, by itself.
	Referrer
	// Unsummed is not in SHA256SUMS.
	Unsummed
	// Left is what a build that failed leaves: part of no set.
	Left
)

// Row says what one file of a set or release is, or several whose names match a pattern.
type Row struct {
	// Pattern is the path in the folder, as path.Match has it.
	Pattern   string
	MediaType string
	// About says on the page of a release what the file is; empty: the page does not list
	// the file.
	About string
	Roles Role
}

// Has reports whether the file has a role.
func (r Row) Has(role Role) bool { return r.Roles&role != 0 }

// Package reports whether the row is one of packages.
func (r Row) Package() bool { return strings.HasSuffix(r.Pattern, ".rpm") }

// Top is the name of the entry of the folder that holds the file.
func (r Row) Top() string {
	top, _, _ := strings.Cut(r.Pattern, "/")
	return top
}

// Table lists all files that a set or a release can hold, in the order in which the page of
// a release names them. The first row that matches a path counts.
func Table() []Row { return append([]Row{}, table...) }

var table = []Row{
	{RPMS + "/*.rpm", "application/x-rpm", "", OfBuild},
	{SRPMS + "/*.rpm", "application/x-rpm", "the source of these packages, patched", OfBuild},
	{KeyPrefix + "*", "application/pgp-keys", "the public key", 0},
	{"*.repo", "text/plain", "for /etc/yum.repos.d", 0},
	{Repodata + "/repomd.xml", "application/xml", "the repository's index, signed in repomd.xml.asc", OfBuild},
	{Repodata + "/*" + SignatureEnd, "application/pgp-signature", "", OfBuild},
	{Repodata + "/*.xml", "application/xml", "", OfBuild},
	{Repodata + "/*.xml.gz", "application/gzip", "", OfBuild},
	{SPDXFile, "application/spdx+json", "what it is made of and with: every package and source, as SPDX", OfBuild | Referrer},
	{CycloneDXFile, "application/vnd.cyclonedx+json", "the same as CycloneDX", OfBuild | Referrer},
	{ProvenanceFile, "application/vnd.dsse.envelope.v1+json", "how it was built, as a signed SLSA statement", OfBuild | Referrer},
	{RecordFile, "application/vnd.namibuild.build.v1+json", "everything the build was made from and of", OfBuild | Published | Byproduct},
	{LogFile, "text/plain", "what rpmbuild said", OfBuild | Published | Byproduct},
	{BuildRootFile, "application/json", "the packages it was built with", OfBuild | Published | Byproduct},
	{ChangesFile, "text/plain", "what was changed in the source", OfBuild | Published | Byproduct},
	{SignaturesFile, "application/json", "the signatures of all modules: with them the same packages are built without the key", OfBuild | Published | Byproduct},
	{lockPattern, "application/vnd.namibuild.lock.v1+json", "builds the same packages again: namibuild build --lock", OfBuild | Published | Byproduct},
	{ProofFile, "application/vnd.namibuild.proof.v1+json", "how the kernel was proven", OfBuild | Published | Byproduct | Referrer},
	{ProofLogFile, "text/plain", "what its console said", OfBuild | Published | Byproduct},
	{BenchFile, "application/json", "what was measured of the kernel", OfBuild | Published | Byproduct},
	{BenchCSV, "text/csv", "the same, second by second", OfBuild | Published | Byproduct},
	{BenchSVG, "image/svg+xml", "the same as a chart", OfBuild | Published | Byproduct},
	{BenchPNG, "image/png", "the chart as PNG", OfBuild | Published | Byproduct},
	{ReleaseFile, "application/json", "this release for programs", 0},
	{PageFile, "text/html", "", 0},
	{SumsFile, "text/plain", "", Unsummed},
	{SumsFile + SignatureEnd, "application/pgp-signature", "", Unsummed},
	{FailedLog, "text/plain", "", OfBuild | Left},
	{FailedRPMS + "/*.rpm", "application/x-rpm", "", OfBuild | Left},
}

// Lookup gives the row of a path in a set or release.
func Lookup(name string) (Row, bool) {
	for _, row := range table {
		if ok, _ := path.Match(row.Pattern, name); ok { // the patterns are well formed: TestTable
			return row, true
		}
	}
	return Row{}, false
}

// unknownType is the media type of a file that Table does not know.
const unknownType = "application/octet-stream"

// MediaType gives the media type of a path in a set or release.
func MediaType(name string) string {
	if row, ok := Lookup(name); ok {
		return row.MediaType
	}
	return unknownType
}

// Stale gives the entries of a folder that belong to the set of one build, out of the names of
// all its entries: none of them may stand beside the packages of another set.
func Stale(entries []string) []string {
	var all []string
	for _, name := range entries {
		for _, row := range table {
			if ok, _ := path.Match(row.Top(), name); ok && row.Has(OfBuild) {
				all = append(all, name)
				break
			}
		}
	}
	return all
}

// knownFolder reports whether the folder of that name can hold files of a set.
func knownFolder(name string) bool {
	for _, row := range table {
		if row.Top() == name && row.Top() != row.Pattern && !row.Has(Left) {
			return true
		}
	}
	return false
}
