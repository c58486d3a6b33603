package sbom_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/github/go-spdx/v2/spdxexp"
	"github.com/google/go-cmp/cmp"
	"github.com/package-url/packageurl-go"
	"github.com/santhosh-tekuri/jsonschema/v6"
	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx"
	"github.com/spdx/tools-golang/spdx/v2/v2_3"
	"github.com/spdx/tools-golang/spdxlib"
	"github.com/spdx/tools-golang/tagvalue"
)

// published loads the schemas of CycloneDX from a folder of the module
// cyclonedx-go.
type published string

func (dir published) Load(url string) (any, error) {
	name, ours := strings.CutPrefix(url, "http://cyclonedx.org/schema/")
	if !ours {
		return nil, fmt.Errorf("no schema %s", url)
	}
	if name == "jsf-0.82.schema.json" {
		name = "jsf-0.82.schemax.json" // the module's name of it
	}
	f, err := os.Open(filepath.Join(string(dir), "schema", name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return jsonschema.UnmarshalJSON(f)
}

func cycloneDXSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go").Output()
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(published(strings.TrimSpace(string(dir))))
	c.AssertFormat()
	schema, err := c.Compile("http://cyclonedx.org/schema/bom-1.6.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// TestCycloneDXValidates validates the document by the published schema, checks
// that the schema refuses faults, and that every reference leads to one component.
func TestCycloneDXValidates(t *testing.T) {
	schema := cycloneDXSchema(t)
	valid := func(doc []byte) error {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
		if err != nil {
			return err
		}
		return schema.Validate(v)
	}
	_, doc := documents(t, input(t))
	if err := valid(doc); err != nil {
		t.Error(err)
	}
	for from, to := range map[string]string{`"alg": "SHA-256"`: `"alg": "SHA256"`, `"urn:uuid:`: `"uuid:`, `"type": "file"`: `"type": "flie"`} {
		if valid(bytes.Replace(doc, []byte(from), []byte(to), 1)) == nil {
			t.Errorf("the schema accepts %s", to)
		}
	}
	var bom cdx.BOM
	if err := cdx.NewBOMDecoder(bytes.NewReader(doc), cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	refs := map[string]int{bom.Metadata.Component.BOMRef: 1}
	for _, c := range *bom.Components {
		refs[c.BOMRef]++
		if c.Components != nil {
			for _, part := range *c.Components {
				refs[part.BOMRef]++
			}
		}
	}
	for _, d := range *bom.Dependencies {
		for _, ref := range append([]string{d.Ref}, *d.Dependencies...) {
			if refs[ref] != 1 {
				t.Errorf("reference %s leads to %d components", ref, refs[ref])
			}
		}
	}
}

// TestSPDXIsRead reads the document with SPDX's own library, in both formats,
// because the reader of tag-value is stricter, and checks that nothing is lost.
func TestSPDXIsRead(t *testing.T) {
	data, _ := documents(t, input(t))
	doc, err := spdxjson.Read(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if err := spdxlib.ValidateDocument(doc); err != nil {
		t.Error(err)
	}
	var text bytes.Buffer
	if err := tagvalue.Write(doc, &text); err != nil {
		t.Fatal(err)
	}
	again, err := tagvalue.Read(bytes.NewReader(text.Bytes()))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text.String())
	}
	if d := cmp.Diff(facts(doc), facts(again)); d != "" {
		t.Errorf("-JSON +tag-value\n%s", d)
	}
	strict(t, data)
}

// facts returns what both formats hold, by identifier.
func facts(d *spdx.Document) map[string]string {
	all := map[string]string{"": d.DocumentNamespace + " " + d.CreationInfo.Created}
	for _, p := range d.Packages {
		all[string(p.PackageSPDXIdentifier)] = fmt.Sprint(p.PackageName, p.PackageVersion, p.PackageChecksums, p.PackageLicenseDeclared,
			p.PackageSupplier, p.PackageComment, p.PrimaryPackagePurpose, p.PackageDownloadLocation, p.PackageSourceInfo)
	}
	for _, r := range d.Relationships {
		all[fmt.Sprint(r.RefA, r.Relationship, r.RefB)] = "relationship"
	}
	for _, l := range d.OtherLicenses {
		all[l.LicenseIdentifier] = l.LicenseName + l.ExtractedText
	}
	return all
}

// strict checks what no reader of the library does: there is no unknown field,
// every license is an expression of known terms, and every purl is as its own
// library writes it.
func strict(t *testing.T, data []byte) {
	t.Helper()
	type document v2_3.Document // without its lenient UnmarshalJSON
	var doc document
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&doc); err != nil {
		t.Error(err)
	}
	known := map[string]bool{"NOASSERTION": true}
	for _, l := range doc.OtherLicenses {
		known[l.LicenseIdentifier] = true
	}
	for _, p := range doc.Packages {
		if p.PackageLicenseDeclared != "NOASSERTION" {
			terms, err := spdxexp.ExtractLicenses(p.PackageLicenseDeclared)
			for _, term := range terms {
				if strings.HasPrefix(term, "LicenseRef-") && !known[term] {
					err = fmt.Errorf("%s is not declared", term)
				}
			}
			if err != nil {
				t.Errorf("%s: license %q: %v", p.PackageName, p.PackageLicenseDeclared, err)
			}
		}
		for _, ref := range p.PackageExternalReferences {
			purl, err := packageurl.FromString(ref.Locator)
			if err != nil || purl.ToString() != ref.Locator {
				t.Errorf("%s: purl %s: %v", p.PackageName, ref.Locator, err)
			}
		}
	}
}
