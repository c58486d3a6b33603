package sbom

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// CycloneDX is the bill as CycloneDX 1.6. The packages of the builder image
// have the scope "excluded": they are in no package of the set.
func (b Bill) CycloneDX() ([]byte, error) {
	bom := cdx.NewBOM()
	subject := b.subject()
	bom.Metadata = &cdx.Metadata{
		Timestamp:  b.created.Format(time.RFC3339),
		Tools:      &cdx.ToolsChoice{Components: &[]cdx.Component{b.maker()}},
		Component:  &subject,
		Properties: b.properties(),
	}
	var parts []cdx.Component
	for _, i := range b.items {
		if i.kind != isBoot {
			parts = append(parts, b.component(i))
		}
	}
	bom.Components = &parts
	bom.Dependencies = b.dependencies(subject.BOMRef)
	content, err := writeCycloneDX(bom)
	if err != nil {
		return nil, err
	}
	bom.SerialNumber = urn(content)
	return writeCycloneDX(bom)
}

func writeCycloneDX(bom *cdx.BOM) ([]byte, error) {
	var w bytes.Buffer
	e := cdx.NewBOMEncoder(&w, cdx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false)
	if err := e.EncodeVersion(bom, cdx.SpecVersion1_6); err != nil {
		return nil, fmt.Errorf("writing CycloneDX: %w", err)
	}
	return w.Bytes(), nil
}

// subject is the set as a whole.
func (b Bill) subject() cdx.Component {
	return cdx.Component{BOMRef: "set-" + b.planID, Type: cdx.ComponentTypeOS, Name: b.name, Version: b.version, Pedigree: b.pedigree()}
}

func (b Bill) maker() cdx.Component {
	name, version, _ := strings.Cut(b.tool, "-")
	return cdx.Component{Type: cdx.ComponentTypeApplication, Name: name, Version: version}
}

func (b Bill) properties() *[]cdx.Property {
	all := []cdx.Property{{Name: "namibuild:plan", Value: b.planID}}
	if b.insecure != "" {
		all = append(all, cdx.Property{Name: "namibuild:insecure", Value: b.insecure})
	}
	return &all
}

// types are CycloneDX's words for what an item is.
var types = map[kind]cdx.ComponentType{
	isPackage: cdx.ComponentTypeApplication, isBoot: cdx.ComponentTypeFile, isSRPM: cdx.ComponentTypeApplication, isSource: cdx.ComponentTypeFile,
	isPatch: cdx.ComponentTypeFile, isAdded: cdx.ComponentTypeFile, isChanges: cdx.ComponentTypeFile, isImage: cdx.ComponentTypeContainer,
	isTool: cdx.ComponentTypeApplication,
}

func (b Bill) component(i item) cdx.Component {
	c := cdx.Component{
		BOMRef: i.id(), Type: types[i.kind], Name: i.name, Version: i.version, PackageURL: i.purl,
		Description: i.comment, Licenses: choices(i.licenses), Hashes: hashes(i.digests),
	}
	if i.supplier != "" {
		c.Supplier = &cdx.OrganizationalEntity{Name: i.supplier}
	}
	if i.kind == isTool || i.kind == isImage {
		c.Scope = cdx.ScopeExcluded
	}
	if i.url != "" {
		c.ExternalReferences = &[]cdx.ExternalReference{{Type: cdx.ERTypeDistribution, URL: i.url}}
	}
	var properties []cdx.Property
	if i.file != "" && i.file != i.name {
		properties = append(properties, cdx.Property{Name: "namibuild:file", Value: i.file})
	}
	if i.from != "" {
		properties = append(properties, cdx.Property{Name: "namibuild:source", Value: i.from})
	}
	if properties != nil {
		c.Properties = &properties
	}
	if i.kind == isPackage {
		c.Components = b.parts(i)
	}
	return c
}

// pedigree says what the set was made from, and what was changed on the way.
func (b Bill) pedigree() *cdx.Pedigree {
	p := &cdx.Pedigree{}
	var ancestors []cdx.Component
	for _, i := range b.of(isSRPM) {
		ancestors = append(ancestors, cdx.Component{Type: types[i.kind], Name: i.name, Version: i.version, PackageURL: i.purl, Hashes: hashes(i.digests)})
	}
	p.Ancestors = &ancestors
	if b.changes != "" {
		p.Patches = &[]cdx.Patch{{Type: cdx.PatchTypeUnofficial, Diff: &cdx.Diff{Text: &cdx.AttachedText{ContentType: "text/x-diff", Content: b.changes}}}}
	}
	return p
}

// parts are the files of a package that boot.
func (b Bill) parts(i item) *[]cdx.Component {
	var all []cdx.Component
	in := b.related(i.id(), contains)
	for _, file := range b.of(isBoot) {
		if slices.Contains(in, file.id()) {
			all = append(all, b.component(file))
		}
	}
	if all == nil {
		return nil
	}
	return &all
}

// dependencies: the set has its packages, a package what it was made from and
// with, the SRPM its files and its patches, the image its packages.
func (b Bill) dependencies(set string) *[]cdx.Dependency {
	var packages []string
	var all []cdx.Dependency
	for _, i := range b.items {
		if i.kind == isPackage {
			packages = append(packages, i.id())
		}
		if on := b.related(i.id(), contains, madeFrom, madeWith, patchedBy); len(on) > 0 {
			slices.Sort(on)
			all = append(all, cdx.Dependency{Ref: i.id(), Dependencies: &on})
		}
	}
	all = append([]cdx.Dependency{{Ref: set, Dependencies: &packages}}, all...)
	return &all
}

// choices are licenses: as one expression where SPDX has words for all of them,
// else each in the package's own words. Never by identifier: the schema takes
// only those that SPDX had when it was published.
func choices(licenses []string) *cdx.Licenses {
	if len(licenses) == 0 {
		return nil
	}
	declared := cdx.LicenseAcknowledgementDeclared
	one, own := expression(licenses)
	if len(own) == 0 {
		return &cdx.Licenses{{Expression: one, Acknowledgement: &declared}}
	}
	var all cdx.Licenses
	for _, words := range licenses {
		all = append(all, cdx.LicenseChoice{License: &cdx.License{Name: words, Acknowledgement: declared}})
	}
	return &all
}

// hashNames are CycloneDX's; it has none for SHA-224.
var hashNames = map[string]cdx.HashAlgorithm{
	"md5": cdx.HashAlgoMD5, "sha1": cdx.HashAlgoSHA1, "sha256": cdx.HashAlgoSHA256, "sha384": cdx.HashAlgoSHA384, "sha512": cdx.HashAlgoSHA512,
}

func hashes(digests []digest) *[]cdx.Hash {
	var all []cdx.Hash
	for _, d := range digests {
		if name, ok := hashNames[d.algorithm]; ok {
			all = append(all, cdx.Hash{Algorithm: name, Value: d.hex})
		}
	}
	if all == nil {
		return nil
	}
	return &all
}
