package release

import (
	"bytes"
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"
	"time"

	"namibuild/builder/boot"
	"namibuild/builder/plan"
	"namibuild/builder/recipe"
	"namibuild/builder/set"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New(set.PageFile).Parse(pageText))

// page has what the template shows.
type page struct {
	Title, Name, Date, KeyName, Fingerprint, KeyFile, URL, Install string
	// Nowhere says that the URL is the default, because it is not known where the
	// release will be published.
	Nowhere                                                   bool
	Caveats                                                   []pageCaveat
	Packages                                                  []pagePackage
	SRPM, SRPMSum, SourceURL, Tag, Image, ImageDigest, PlanID string
	Lock, Diff, Chart                                         string
	Changed                                                   []string
	Proof                                                     *boot.Proof
	Files                                                     []pageFile
}

type pageCaveat struct{ Headline, Why string }

type pagePackage struct{ Path, File, Size, SHA256 string }

type pageFile struct{ Name, What string }

// headlines say what a caveat means for a person who installs the packages.
var headlines = map[string]string{
	unproven:         "Nothing proves that this kernel works:",
	unlocked:         "Others cannot build it again from this release alone:",
	"insecure":       "The source is not the one that the recipe names:",
	"unreproducible": "The packages differ if they are built again:",
	"unpinned":       "It was built without pins that make packages equal:",
	"varied":         "Something was changed in the build that should not matter:",
}

// page returns the page of the release. It lists the files that were written so far.
func (r *making) page() ([]byte, error) {
	p := r.built.Record.Plan
	v := page{
		Title: p.Name, Name: r.record.Name, Date: time.Unix(r.record.Time, 0).UTC().Format("2 January 2006"),
		KeyName: r.Key.Name, Fingerprint: r.Key.Fingerprint, KeyFile: r.keyFile(), URL: r.url(), Nowhere: r.URL == "",
		SRPM: p.SRPM.File, SRPMSum: p.SRPM.SHA256, SourceURL: p.Source.URL, Tag: p.Tag,
		Image: p.Image, ImageDigest: p.ImageDigest, PlanID: r.built.Record.PlanID,
		Lock: r.link(r.built.Record.LockFile()), Diff: r.link(set.ChangesFile), Chart: r.link(set.BenchSVG), Changed: changed(p), Proof: r.proof, Files: r.files(),
	}
	for _, c := range r.record.Caveats {
		v.Caveats = append(v.Caveats, pageCaveat{cmp.Or(headlines[c.What], c.What+":"), c.Why})
	}
	for i, one := range r.record.RPMs {
		v.Packages = append(v.Packages, pagePackage{set.RPMS + "/" + one.File, one.File, fmt.Sprintf("%.1f MB", float64(one.Size)/1e6), one.SHA256})
		if i == 0 || one.NEVRA.Name == "kernel" {
			v.Title = fmt.Sprintf("%s %s-%s", one.NEVRA.Name, one.NEVRA.Version, one.NEVRA.Release)
			v.Install = one.NEVRA.Name + "-" + one.NEVRA.Version + "-" + one.NEVRA.Release
		}
	}
	var out bytes.Buffer
	err := pageTemplate.Execute(&out, v)
	return out.Bytes(), err
}

// url returns where hosts find the release.
func (r *making) url() string {
	if r.URL == "" {
		return "file:///srv/" + r.record.Name
	}
	return strings.TrimRight(r.URL, "/")
}

// link returns the name of a file if the release has it, and otherwise nothing.
func (r *making) link(name string) string {
	if !r.has(name) {
		return ""
	}
	return name
}

// changed returns a text for each change of the recipe.
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

// editText returns an edit in the style of a diff.
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

// prefixed puts a mark before each line of a text.
func prefixed(mark, text string) string {
	return mark + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n"+mark)
}

// files returns the files of the release that are not packages, with a text about each.
func (r *making) files() []pageFile {
	var all []pageFile
	for _, row := range set.Table() {
		if row.About == "" {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(r.written)) {
			if of, ok := set.Lookup(name); ok && of.Pattern == row.Pattern {
				all = append(all, pageFile{name, row.About})
			}
		}
	}
	return all
}
