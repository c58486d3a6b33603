package sbom

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx/v2/common"
	"github.com/spdx/tools-golang/spdx/v2/v2_3"
)

// noAssertion is what SPDX writes for what is not known.
const noAssertion = "NOASSERTION"

// SPDX returns the SBOM as SPDX 2.3. Every item is a package of SPDX, even the
// files, because SPDX requires the SHA-1 of a file and no item has one.
func (s SBOM) SPDX() ([]byte, error) {
	doc := &v2_3.Document{
		SPDXVersion: v2_3.Version, DataLicense: v2_3.DataLicense, SPDXIdentifier: "DOCUMENT",
		DocumentName: s.title(), DocumentComment: s.remark(),
		CreationInfo: &v2_3.CreationInfo{Creators: []common.Creator{{CreatorType: "Tool", Creator: s.tool}}, Created: s.created.Format(time.RFC3339)},
	}
	own := map[string]string{}
	for _, i := range s.items {
		p, licenses := i.spdx()
		doc.Packages = append(doc.Packages, p)
		for _, l := range licenses {
			own[l.id] = l.words
		}
	}
	doc.OtherLicenses = otherLicenses(own)
	doc.Relationships = s.relationships()
	content, err := writeSPDX(doc)
	if err != nil {
		return nil, err
	}
	doc.DocumentNamespace = urn(content)
	return writeSPDX(doc)
}

func writeSPDX(doc *v2_3.Document) ([]byte, error) {
	var w bytes.Buffer
	if err := spdxjson.Write(doc, &w, spdxjson.Indent(" "), spdxjson.EscapeHTML(false)); err != nil {
		return nil, fmt.Errorf("writing SPDX: %w", err)
	}
	return w.Bytes(), nil
}

// space is the namespace of the UUIDs that identify documents.
var space = uuid.NewSHA1(uuid.NameSpaceOID, []byte("namibuild bill of materials"))

// urn returns an identifier of a document that depends on its content.
func urn(content []byte) string { return uuid.NewSHA1(space, content).URN() }

// title returns the name of the document: that of the set's SRPM.
func (s SBOM) title() string { return strings.TrimSuffix(s.name+"-"+s.version, "-") }

// remark says which plan the set was built by, and why its source is not trusted,
// if that is so.
func (s SBOM) remark() string {
	text := "built by plan " + s.planID
	if s.insecure != "" {
		text += "; its source is NOT TRUSTED: it was taken although " + s.insecure
	}
	return text
}

// purposes holds SPDX's names of the kinds.
var purposes = map[kind]string{
	isPackage: "INSTALL", isBoot: "FILE", isSRPM: "SOURCE", isSource: "SOURCE", isPatch: "SOURCE", isAdded: "SOURCE",
	isChanges: "SOURCE", isImage: "CONTAINER", isTool: "APPLICATION",
}

// spdx returns an item as a package of SPDX, with the licenses to declare.
func (i item) spdx() (*v2_3.Package, []ownLicense) {
	declared, own := expression(i.licenses)
	p := &v2_3.Package{
		PackageName: i.name, PackageSPDXIdentifier: common.ElementID(i.id()), PackageVersion: i.version, PackageFileName: i.file,
		PackageSupplier:         &common.Supplier{Supplier: noAssertion},
		PackageDownloadLocation: cmp.Or(i.url, noAssertion),
		PackageLicenseConcluded: noAssertion, PackageLicenseDeclared: declared, PackageCopyrightText: noAssertion,
		PackageComment: i.comment, PrimaryPackagePurpose: purposes[i.kind],
	}
	if i.supplier != "" {
		p.PackageSupplier = &common.Supplier{SupplierType: "Organization", Supplier: i.supplier}
	}
	if i.from != "" {
		p.PackageSourceInfo = "built from " + i.from
	}
	for _, d := range i.digests {
		p.PackageChecksums = append(p.PackageChecksums, common.Checksum{Algorithm: common.ChecksumAlgorithm(strings.ToUpper(d.algorithm)), Value: d.hex})
	}
	if i.purl != "" {
		p.PackageExternalReferences = []*v2_3.PackageExternalReference{{
			Category: common.CategoryPackageManager, RefType: common.TypePackageManagerPURL, Locator: i.purl,
		}}
	}
	return p, own
}

// otherLicenses declares licenses, by their identifiers.
func otherLicenses(own map[string]string) []*v2_3.OtherLicense {
	var all []*v2_3.OtherLicense
	for id, words := range own {
		all = append(all, &v2_3.OtherLicense{
			LicenseIdentifier: id, LicenseName: words,
			ExtractedText: "The package says of its license: " + words,
		})
	}
	slices.SortFunc(all, func(x, y *v2_3.OtherLicense) int { return strings.Compare(x.LicenseIdentifier, y.LicenseIdentifier) })
	return all
}

// relationships says that the document describes the packages of the set, and
// translates the relations. Some of SPDX's verbs have the opposite direction.
func (s SBOM) relationships() []*v2_3.Relationship {
	var all []*v2_3.Relationship
	add := func(from, verb, to string) {
		all = append(all, &v2_3.Relationship{RefA: common.MakeDocElementID("", from), RefB: common.MakeDocElementID("", to), Relationship: verb})
	}
	for _, i := range s.of(isPackage) {
		add("DOCUMENT", common.TypeRelationshipDescribe, i.id())
	}
	for _, r := range s.relations {
		switch r.verb {
		case contains:
			add(r.from, common.TypeRelationshipContains, r.to)
		case madeFrom:
			add(r.from, common.TypeRelationshipGeneratedFrom, r.to)
		case madeWith:
			add(r.to, common.TypeRelationshipBuildToolOf, r.from)
		case patchedBy:
			add(r.to, common.TypeRelationshipPatchApplied, r.from)
		}
	}
	return all
}
