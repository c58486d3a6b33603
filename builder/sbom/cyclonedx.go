package sbom

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// CycloneDX returns the SBOM as CycloneDX 1.6. The packages of the builder image
// have the scope "excluded", because no package of the set contains them.
func (s SBOM) CycloneDX() ([]byte, error) {
	bom := cdx.NewBOM()
	subject := s.subject()
	bom.Metadata = &cdx.Metadata{
		Timestamp:  s.created.Format(time.RFC3339),
		Tools:      &cdx.ToolsChoice{Components: &[]cdx.Component{s.maker()}},
		Component:  &subject,
		Properties: s.properties(),
	}
	var parts []cdx.Component
	for _, i := range s.items {
		if i.kind != isBoot {
			parts = append(parts, s.component(i))
		}
	}
	bom.Components = &parts
	bom.Dependencies = s.dependencies(subject.BOMRef)
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

// subject returns the set as a component.
func (s SBOM) subject() cdx.Component {
	return cdx.Component{BOMRef: "set-" + s.planID, Type: cdx.ComponentTypeOS, Name: s.name, Version: s.version, Pedigree: s.pedigree()}
}

// maker returns namibuild as a component.
func (s SBOM) maker() cdx.Component {
	name, version, _ := strings.Cut(s.tool, "-")
	return cdx.Component{Type: cdx.ComponentTypeApplication, Name: name, Version: version}
}

// properties returns what CycloneDX has no field for.
func (s SBOM) properties() *[]cdx.Property {
	all := []cdx.Property{{Name: "namibuild:plan", Value: s.planID}}
	if s.insecure != "" {
		all = append(all, cdx.Property{Name: "namibuild:insecure", Value: s.insecure})
	}
	return &all
}

// types holds CycloneDX's names of the kinds.
var types = map[kind]cdx.ComponentType{
	isPackage: cdx.ComponentTypeApplication, isBoot: cdx.ComponentTypeFile, isSRPM: cdx.ComponentTypeApplication, isSource: cdx.ComponentTypeFile,
	isPatch: cdx.ComponentTypeFile, isAdded: cdx.ComponentTypeFile, isChanges: cdx.ComponentTypeFile, isImage: cdx.ComponentTypeContainer,
	isTool: cdx.ComponentTypeApplication,
}

// component returns an item as a component.
func (s SBOM) component(i item) cdx.Component {
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
		c.Components = s.parts(i)
	}
	return c
}

// pedigree says which SRPM the set was made from, and what the recipe changed.
func (s SBOM) pedigree() *cdx.Pedigree {
	p := &cdx.Pedigree{}
	var ancestors []cdx.Component
	for _, i := range s.of(isSRPM) {
		ancestors = append(ancestors, cdx.Component{Type: types[i.kind], Name: i.name, Version: i.version, PackageURL: i.purl, Hashes: hashes(i.digests)})
	}
	p.Ancestors = &ancestors
	if s.changes != "" {
		p.Patches = &[]cdx.Patch{{Type: cdx.PatchTypeUnofficial, Diff: &cdx.Diff{Text: &cdx.AttachedText{ContentType: "text/x-diff", Content: s.changes}}}}
	}
	return p
}

// parts returns the files of a package below /boot.
func (s SBOM) parts(i item) *[]cdx.Component {
	var all []cdx.Component
	in := s.related(i.id(), contains)
	for _, file := range s.of(isBoot) {
		if slices.Contains(in, file.id()) {
			all = append(all, s.component(file))
		}
	}
	if all == nil {
		return nil
	}
	return &all
}

// dependencies says that the set depends on its packages, a package on what it was
// made from and with, the SRPM on its files and patches, and the image on its
// packages.
func (s SBOM) dependencies(set string) *[]cdx.Dependency {
	var packages []string
	var all []cdx.Dependency
	for _, i := range s.items {
		if i.kind == isPackage {
			packages = append(packages, i.id())
		}
		if on := s.related(i.id(), contains, madeFrom, madeWith, patchedBy); len(on) > 0 {
			slices.Sort(on)
			all = append(all, cdx.Dependency{Ref: i.id(), Dependencies: &on})
		}
	}
	all = append([]cdx.Dependency{{Ref: set, Dependencies: &packages}}, all...)
	return &all
}

// choices returns licenses as one expression if SPDX has terms for all of them,
// and otherwise each by the package's own name. It uses no identifiers, because the
// schema accepts only those that SPDX had when it was published.
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

// hashNames holds CycloneDX's names of algorithms. It has none for SHA-224.
var hashNames = map[string]cdx.HashAlgorithm{
	"md5": cdx.HashAlgoMD5, "sha1": cdx.HashAlgoSHA1, "sha256": cdx.HashAlgoSHA256, "sha384": cdx.HashAlgoSHA384, "sha512": cdx.HashAlgoSHA512,
}

// hashes returns the digests whose algorithms CycloneDX knows.
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
