package set

import (
	"path"
	"strings"
)

// These are the names of the folders and files of sets and releases.
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
	SignatureEnd = ".asc" // follows the name of the signed file
	KeyPrefix    = "RPM-GPG-KEY-"
	Repodata     = "repodata"

	// FailedLog is the log of the last build that failed. FailedRPMS holds the
	// packages of a build that did not make all packages of its recipe. They are not
	// part of a set.
	FailedLog  = "failed.log"
	FailedRPMS = "failed.RPMS"
)

// lockPattern matches locks, which are named after recipes.
const lockPattern = "*.lock"

// Role says how a file is used. A file can have several roles.
type Role int

// These are the roles of files.
const (
	// OfBuild marks an entry that belongs to the set of one build: the next build
	// into the same folder replaces or removes it.
	OfBuild Role = 1 << iota
	// Published marks a file that is copied from the set into the release.
	Published
	// Byproduct marks a file that the provenance names, because it says how the
	// packages were built.
	Byproduct
	// Referrer marks a file that is also attached to the release in a registry, in a
	// manifest of its own.
	Referrer
	// Unsummed marks a file that is not in SHA256SUMS.
	Unsummed
	// Left marks what a failed build leaves. It is not part of a set.
	Left
	// Required marks a file that every release has. At least one file must match the
	// row's pattern.
	Required
	// IfProven marks a file that a release has unless its record carries the caveat
	// unproven, and IfLocked one that it has unless the caveat is unlocked.
	IfProven
	IfLocked
)

// Row describes one file of a set or release, or several files whose paths match a pattern.
type Row struct {
	// Pattern is a pattern of path.Match for the path in the folder.
	Pattern   string
	MediaType string
	// About says on the page of a release what the file is. If it is empty, the page
	// does not list the file.
	About string
	Roles Role
}

// Has reports whether the file has a role.
func (r Row) Has(role Role) bool { return r.Roles&role != 0 }

// Package reports whether the row describes packages.
func (r Row) Package() bool { return strings.HasSuffix(r.Pattern, ".rpm") }

// top returns the first element of the pattern.
func (r Row) top() string {
	top, _, _ := strings.Cut(r.Pattern, "/")
	return top
}

// Table returns a row for each file that a set or a release can have, in the order of the
// page of a release. The first row that matches a path counts.
func Table() []Row { return append([]Row{}, table...) }

var table = []Row{
	{RPMS + "/*.rpm", "application/x-rpm", "", OfBuild | Required},
	{SRPMS + "/*.rpm", "application/x-rpm", "the source of these packages, patched", OfBuild},
	{KeyPrefix + "*", "application/pgp-keys", "the public key", Required},
	{"*.repo", "text/plain", "for /etc/yum.repos.d", Required},
	{Repodata + "/repomd.xml", "application/xml", "the repository's index, signed in repomd.xml.asc", OfBuild | Required},
	{Repodata + "/*" + SignatureEnd, "application/pgp-signature", "", OfBuild | Required},
	{Repodata + "/*.xml", "application/xml", "", OfBuild},
	{Repodata + "/*.xml.gz", "application/gzip", "", OfBuild | Required},
	{SPDXFile, "application/spdx+json", "what it is made of and with: every package and source, as SPDX", OfBuild | Referrer | Required},
	{CycloneDXFile, "application/vnd.cyclonedx+json", "the same as CycloneDX", OfBuild | Referrer | Required},
	{ProvenanceFile, "application/vnd.dsse.envelope.v1+json", "how it was built, as a signed SLSA statement", OfBuild | Referrer | Required},
	{RecordFile, "application/vnd.namibuild.build.v1+json", "everything the build was made from and of", OfBuild | Published | Byproduct | Required},
	{LogFile, "text/plain", "the log of rpmbuild", OfBuild | Published | Byproduct | Required},
	{BuildRootFile, "application/json", "the packages it was built with", OfBuild | Published | Byproduct | Required},
	{ChangesFile, "text/plain", "what was changed in the source", OfBuild | Published | Byproduct},
	{SignaturesFile, "application/json", "the signatures of all modules: with them the same packages are built without the key", OfBuild | Published | Byproduct},
	{lockPattern, "application/vnd.namibuild.lock.v1+json", "builds the same packages again: namibuild build --lock", OfBuild | Published | Byproduct | IfLocked},
	{ProofFile, "application/vnd.namibuild.proof.v1+json", "how the kernel was proven", OfBuild | Published | Byproduct | Referrer | IfProven},
	{ProofLogFile, "text/plain", "the console of the kernel while it was proven", OfBuild | Published | Byproduct | IfProven},
	{BenchFile, "application/json", "the measurements of the kernel", OfBuild | Published | Byproduct},
	{BenchCSV, "text/csv", "the same, second by second", OfBuild | Published | Byproduct},
	{BenchSVG, "image/svg+xml", "the same as a chart", OfBuild | Published | Byproduct},
	{BenchPNG, "image/png", "the chart as PNG", OfBuild | Published | Byproduct},
	{ReleaseFile, "application/json", "this release, for programs", Required},
	{PageFile, "text/html", "", Required},
	{SumsFile, "text/plain", "", Unsummed | Required},
	{SumsFile + SignatureEnd, "application/pgp-signature", "", Unsummed | Required},
	{FailedLog, "text/plain", "", OfBuild | Left},
	{FailedRPMS + "/*.rpm", "application/x-rpm", "", OfBuild | Left},
}

// Lookup returns the row of a path in a set or release.
func Lookup(name string) (Row, bool) {
	for _, row := range table {
		if ok, _ := path.Match(row.Pattern, name); ok { // the patterns are well formed: TestTable
			return row, true
		}
	}
	return Row{}, false
}

// Transferable reports whether a registry can have a file with that path: one that Table
// lists, or a package of a folder of packages.
func Transferable(name string) bool {
	if row, ok := Lookup(name); ok {
		return !row.Has(Left)
	}
	return !strings.Contains(name, "/") && strings.HasSuffix(name, ".rpm")
}

// unknownType is the media type of a file that Table does not list.
const unknownType = "application/octet-stream"

// MediaType returns the media type of the file with that path in a set or release.
func MediaType(name string) string {
	if row, ok := Lookup(name); ok {
		return row.MediaType
	}
	return unknownType
}

// Stale returns those of the entries of a folder that belong to the set of one build.
// None of them may stay beside the packages of another build.
func Stale(entries []string) []string {
	var all []string
	for _, name := range entries {
		for _, row := range table {
			if ok, _ := path.Match(row.top(), name); ok && row.Has(OfBuild) {
				all = append(all, name)
				break
			}
		}
	}
	return all
}

// knownFolder reports whether a folder of that name can have files of a set.
func knownFolder(name string) bool {
	for _, row := range table {
		if row.top() == name && row.top() != row.Pattern && !row.Has(Left) {
			return true
		}
	}
	return false
}
