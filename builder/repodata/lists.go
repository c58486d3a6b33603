package repodata

import (
	"strings"

	"namibuild/builder/rpm"
)

// maxChanges is how many changes of a package the list other has, the newest ones. It is
// the default of createrepo. A kernel has thousands.
const maxChanges = 10

// These are the mask of the file type in st_mode, and the type of a directory.
const (
	modeType      = 0o170000
	modeDirectory = 0o040000
)

type version struct {
	Epoch   string `xml:"epoch,attr"`
	Version string `xml:"ver,attr"`
	Release string `xml:"rel,attr"`
}

type checksum struct {
	Type  string `xml:"type,attr"`
	PkgID string `xml:"pkgid,attr,omitempty"`
	Hex   string `xml:",chardata"`
}

type listedFile struct {
	Type string `xml:"type,attr,omitempty"`
	Path string `xml:",chardata"`
}

// primaryPackage is a package in the list primary.
type primaryPackage struct {
	XMLName     struct{} `xml:"package"`
	Type        string   `xml:"type,attr"`
	Name        string   `xml:"name"`
	Arch        string   `xml:"arch"`
	Version     version  `xml:"version"`
	Checksum    checksum `xml:"checksum"`
	Summary     string   `xml:"summary"`
	Description string   `xml:"description"`
	Packager    string   `xml:"packager"`
	URL         string   `xml:"url"`
	Time        struct {
		File  int64 `xml:"file,attr"`
		Build int64 `xml:"build,attr"`
	} `xml:"time"`
	Size struct {
		Package   int64 `xml:"package,attr"`
		Installed int64 `xml:"installed,attr"`
		Archive   int64 `xml:"archive,attr"`
	} `xml:"size"`
	Location location `xml:"location"`
	Format   format   `xml:"format"`
}

type location struct {
	Href string `xml:"href,attr"`
}

// format is the part of primary that is specific to rpm.
type format struct {
	License   string `xml:"rpm:license"`
	Vendor    string `xml:"rpm:vendor"`
	Group     string `xml:"rpm:group"`
	BuildHost string `xml:"rpm:buildhost"`
	SourceRPM string `xml:"rpm:sourcerpm"`
	Header    struct {
		Start int64 `xml:"start,attr"`
		End   int64 `xml:"end,attr"`
	} `xml:"rpm:header-range"`
	relations
	Files []listedFile `xml:"file"`
}

// primary returns the package for the list primary. fileTime is the time of its file.
func (f facts) primary(fileTime int64) (primaryPackage, error) {
	text := func(tag rpm.Tag) string { return clean(f.rpm.Header.String(tag)) }
	p := primaryPackage{Type: "rpm", Name: clean(f.NEVRA.Name), Arch: f.arch(), Version: f.version(),
		Checksum: checksum{"sha256", "YES", f.SHA256}, Summary: text(rpm.TagSummary), Description: text(rpm.TagDescription),
		Packager: text(rpm.TagPackager), URL: text(rpm.TagURL), Location: location{f.Path}}
	p.Time.File, p.Time.Build = fileTime, f.rpm.BuildTime()
	p.Size.Package, p.Size.Installed, p.Size.Archive = f.Size, f.rpm.InstalledSize(), f.rpm.ArchiveSize()
	p.Format = format{License: text(rpm.TagLicense), Vendor: text(rpm.TagVendor), Group: text(rpm.TagGroup),
		BuildHost: text(rpm.TagBuildHost), SourceRPM: clean(f.rpm.SourceRPM()), Files: f.list(primaryFile)}
	p.Format.Header.End = f.rpm.PayloadOffset
	p.Format.Header.Start = f.rpm.PayloadOffset - f.rpm.Header.Size()
	var err error
	p.Format.relations, err = f.relations()
	return p, err
}

// arch returns the architecture, which is "src" for every source package: the lists have
// no "nosrc".
func (f facts) arch() string {
	if f.rpm.IsSource() {
		return "src"
	}
	return clean(f.NEVRA.Arch)
}

func (f facts) version() version {
	v := version{f.NEVRA.Epoch, clean(f.NEVRA.Version), clean(f.NEVRA.Release)}
	if v.Epoch == "" {
		v.Epoch = "0"
	}
	return v
}

// list returns the files of the package that are wanted.
func (f facts) list(wanted func(path string) bool) []listedFile {
	var list []listedFile
	for _, file := range f.files {
		if !wanted(file.Path) {
			continue
		}
		one := listedFile{Path: clean(file.Path)}
		switch {
		case file.Mode&modeType == modeDirectory:
			one.Type = "dir"
		case file.Flags&rpm.FlagGhost != 0:
			one.Type = "ghost"
		}
		list = append(list, one)
	}
	return list
}

// heading names a package in filelists and other.
type heading struct {
	XMLName struct{} `xml:"package"`
	PkgID   string   `xml:"pkgid,attr"`
	Name    string   `xml:"name,attr"`
	Arch    string   `xml:"arch,attr"`
	Version version  `xml:"version"`
}

func (f facts) heading() heading {
	return heading{PkgID: f.SHA256, Name: clean(f.NEVRA.Name), Arch: f.arch(), Version: f.version()}
}

// filelistsPackage is a package in the list filelists: all its files.
type filelistsPackage struct {
	heading
	Files []listedFile `xml:"file"`
}

func (f facts) filelists() filelistsPackage {
	return filelistsPackage{f.heading(), f.list(func(string) bool { return true })}
}

// otherPackage is a package in the list other: its changelog, oldest first.
type otherPackage struct {
	heading
	Changes []change `xml:"changelog"`
}

type change struct {
	Author string `xml:"author,attr"`
	Date   int64  `xml:"date,attr"` // seconds since 1970
	Text   string `xml:",chardata"`
}

func (f facts) other() (otherPackage, error) {
	p := otherPackage{heading: f.heading()}
	log, err := f.rpm.Changelog()
	if err != nil {
		return p, err
	}
	for i := min(len(log), maxChanges) - 1; i >= 0; i-- {
		c := change{strings.TrimRight(clean(log[i].Author), " "), log[i].Time, clean(log[i].Text)}
		// yum sorts changes only by date, so that changes of one day need
		// different ones
		if n := len(p.Changes); n > 0 && c.Date <= p.Changes[n-1].Date {
			c.Date = p.Changes[n-1].Date + 1
		}
		p.Changes = append(p.Changes, c)
	}
	return p, nil
}
