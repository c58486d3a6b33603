package builder

import (
	"bytes"
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"os"
	"slices"
	"strings"
	"time"

	"namibuild/builder/boot"
	"namibuild/builder/plan"
	"namibuild/builder/recipe"
)

// pageFile is the page of a bundle that a person opens in a browser.
const pageFile = "index.html"

// chartFile is the chart of a bench, shown on the page.
const chartFile = "bench.svg"

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New(pageFile).Parse(pageText))

// page is what the template shows.
type page struct {
	Title, Name, Date, KeyName, Fingerprint, KeyFile, URL, Install string
	// Nowhere: nobody said where it is published, and URL is a guess.
	Nowhere                                                   bool
	Caveats                                                   []pageCaveat
	Packages                                                  []pagePackage
	SRPM, SRPMSum, SourceURL, Tag, Image, ImageDigest, PlanID string
	Lock, Diff, Chart                                         string
	Changed                                                   []string
	Proof                                                     *boot.Proof
	Files                                                     []pageFileLine
}

type pageCaveat struct{ Headline, Why string }

type pagePackage struct{ Path, File, Size, SHA256 string }

type pageFileLine struct{ Name, What string }

// headlines are what a caveat means to who installs the packages.
var headlines = map[string]string{
	unproven:         "Nothing proves that this kernel works:",
	unlocked:         "Others cannot build it again from this bundle alone:",
	"insecure":       "The source is not the one that the recipe vouches for:",
	"unreproducible": "Built again, the packages differ:",
	"unpinned":       "Built without pins that make packages equal:",
	"varied":         "Built with what should not matter changed:",
}

// page makes the page of the bundle as it stands.
func (r *release) page() ([]byte, error) {
	p := r.built.Plan
	v := page{
		Title: p.Name, Name: r.bundle.Name, Date: time.Unix(r.bundle.Time, 0).UTC().Format("2 January 2006"),
		KeyName: r.Key.Name, Fingerprint: r.Key.Fingerprint, KeyFile: r.keyFile(), URL: r.url(), Nowhere: r.URL == "",
		SRPM: p.SRPM.File, SRPMSum: p.SRPM.SHA256, SourceURL: p.Source.URL, Tag: p.Tag,
		Image: p.Image, ImageDigest: p.ImageDigest, PlanID: r.built.PlanID,
		Lock: r.there(r.built.lockFile()), Diff: r.there(Changes), Chart: r.there(chartFile), Changed: changed(p), Proof: r.proof, Files: r.files(),
	}
	for _, c := range r.bundle.Caveats {
		v.Caveats = append(v.Caveats, pageCaveat{cmp.Or(headlines[c.What], c.What+":"), c.Why})
	}
	for i, one := range r.bundle.RPMs {
		v.Packages = append(v.Packages, pagePackage{RPMS + "/" + one.File, one.File, fmt.Sprintf("%.1f MB", float64(one.Size)/1e6), one.SHA256})
		if i == 0 || one.NEVRA.Name == "kernel" {
			v.Title = fmt.Sprintf("%s %s-%s", one.NEVRA.Name, one.NEVRA.Version, one.NEVRA.Release)
			v.Install = one.NEVRA.Name + "-" + one.NEVRA.Version + "-" + one.NEVRA.Release
		}
	}
	if one := r.built.SRPM; one != nil {
		v.Files = append([]pageFileLine{{SRPMS + "/" + one.File, "the source of these packages, patched"}}, v.Files...)
	}
	var out bytes.Buffer
	err := pageTemplate.Execute(&out, v)
	return out.Bytes(), err
}

// url is where hosts find the bundle.
func (r *release) url() string {
	if r.URL == "" {
		return "file:///srv/" + r.bundle.Name
	}
	return strings.TrimRight(r.URL, "/")
}

// there is the name of a file that is in the bundle, or nothing.
func (r *release) there(name string) string {
	if _, err := os.Stat(r.out.path(name)); err != nil {
		return ""
	}
	return name
}

// changed are the recipe's changes, one text each.
func changed(p plan.Plan) []string {
	var all []string
	for _, o := range p.Config {
		all = append(all, o.Name+"="+o.Value)
	}
	for _, one := range p.Patches {
		all = append(all, fmt.Sprintf("patch %s, sha256 %s", one.File, one.SHA256))
	}
	for _, one := range p.Sources {
		all = append(all, fmt.Sprintf("file %s, sha256 %s", one.File, one.SHA256))
	}
	for _, e := range p.Edits {
		all = append(all, editText(e))
	}
	return all
}

// editText is an edit in the manner of a diff.
func editText(e recipe.Edit) string {
	where := e.File
	if e.In != recipe.InTree {
		where = strings.TrimSpace(string(e.In) + " " + e.File)
	}
	find := e.Find
	if find == "" {
		find = "/" + e.Regexp + "/"
	}
	return where + "\n" + prefixed("- ", find) + "\n" + prefixed("+ ", e.Replace)
}

func prefixed(mark, text string) string {
	return mark + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n"+mark)
}

// files are the bundle's other files and what they are.
func (r *release) files() []pageFileLine {
	all := []pageFileLine{
		{r.keyFile(), "the public key"},
		{r.bundle.Name + ".repo", "for /etc/yum.repos.d"},
		{"repodata/repomd.xml", "the repository's index, signed in repomd.xml.asc"},
		{SPDXFile, "what it is made of and with: every package and source, as SPDX"},
		{CycloneDXFile, "the same as CycloneDX"},
		{ProvenanceFile, "how it was built, as a signed SLSA statement"},
		{RecordJSN, "everything the build was made from and of"},
		{Log, "what rpmbuild said"},
		{BuildRoot, "the packages it was built with"},
		{Changes, "what was changed in the source"},
		{"bench.json", "what was measured of the kernel"},
		{r.built.lockFile(), "builds the same packages again: namibuild build --lock"},
		{boot.ProofFile, "how the kernel was proven"},
		{boot.LogFile, "what its console said"},
		{ReleaseFile, "this release for programs"},
	}
	return slices.DeleteFunc(all, func(f pageFileLine) bool { return r.there(f.Name) == "" })
}
