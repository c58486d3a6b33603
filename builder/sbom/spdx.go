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

const noAssertion = "NOASSERTION"

// SPDX is the bill as SPDX 2.3. Everything in it is one of SPDX's packages, the
// files too: of a file SPDX wants the SHA-1, which nothing here is known by.
func (b Bill) SPDX() ([]byte, error) {
	doc := &v2_3.Document{
		SPDXVersion: v2_3.Version, DataLicense: v2_3.DataLicense, SPDXIdentifier: "DOCUMENT",
		DocumentName: b.title(), DocumentComment: b.remark(),
		CreationInfo: &v2_3.CreationInfo{Creators: []common.Creator{{CreatorType: "Tool", Creator: b.tool}}, Created: b.created.Format(time.RFC3339)},
	}
	own := map[string]string{}
	for _, i := range b.items {
		p, licenses := i.spdx()
		doc.Packages = append(doc.Packages, p)
		for _, l := range licenses {
			own[l.id] = l.words
		}
	}
	doc.OtherLicenses = otherLicenses(own)
	doc.Relationships = b.relationships()
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

// space is what the identifiers of documents are made in.
var space = uuid.NewSHA1(uuid.NameSpaceOID, []byte("namibuild bill of materials"))

// urn names a document by its content.
func urn(content []byte) string { return uuid.NewSHA1(space, content).URN() }

// title is what the document is about: the set as an SRPM would be called.
func (b Bill) title() string { return strings.TrimSuffix(b.name+"-"+b.version, "-") }

// remark says what the set was built by, and what must not be overlooked.
func (b Bill) remark() string {
	s := "built by plan " + b.planID
	if b.insecure != "" {
		s += "; its source is NOT TRUSTED: it was taken although " + b.insecure
	}
	return s
}

// purposes are SPDX's words for what an item is.
var purposes = map[kind]string{
	isPackage: "INSTALL", isBoot: "FILE", isSRPM: "SOURCE", isSource: "SOURCE", isPatch: "SOURCE", isAdded: "SOURCE",
	isChanges: "SOURCE", isImage: "CONTAINER", isTool: "APPLICATION",
}

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

// relationships has the document describe the packages of the set, and the rest
// as SPDX has it: some of its verbs look the other way.
func (b Bill) relationships() []*v2_3.Relationship {
	var all []*v2_3.Relationship
	add := func(from, verb, to string) {
		all = append(all, &v2_3.Relationship{RefA: common.MakeDocElementID("", from), RefB: common.MakeDocElementID("", to), Relationship: verb})
	}
	for _, i := range b.of(isPackage) {
		add("DOCUMENT", common.TypeRelationshipDescribe, i.id())
	}
	for _, r := range b.relations {
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
