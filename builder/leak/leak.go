// Package leak finds in one package what a build should not have let in: its
// moment, its host, its file system. It needs no second build to compare with.
//
// A header and an archive tell most (BUILDTIME, BUILDHOST, mtimes, devices,
// inodes, sizes of folders); for dates, host names and gzip stamps the contents
// of all files are read, compressed ones and the kernel in a bzImage unpacked.
// Memory is bounded, whatever the files' sizes.
package leak

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"namibuild/builder/rpm"
)

// Facts are what a package is held against.
type Facts struct {
	// Epoch is the clock of the build, in seconds.
	Epoch int64
	// Hostname is the name that the build was given; nothing but it may be seen.
	Hostname string
	// Host is the name of the host that the build ran on, empty: not known.
	Host string
	// Days are those on which the build ran, sorted; none: not known.
	Days []time.Time
}

// Kind tells what leaked.
type Kind string

// The kinds, and in which pin's absence they appear.
const (
	BuildTime     Kind = "BUILDTIME"      // rpm, clock
	BuildHost     Kind = "BUILDHOST"      // buildhost
	Mtime         Kind = "mtime"          // mtimes
	Device        Kind = "device"         // stat
	Inode         Kind = "inode"          // stat
	DirectorySize Kind = "directory size" // stat
	GzipStamp     Kind = "gzip stamp"     // gzip
	Date          Kind = "date"           // clock
	HostName      Kind = "host name"      // buildhost, kbuild
)

// Leak is what one package has of one kind.
type Leak struct {
	Kind Kind `json:"kind"`
	// File is the first file that has it, empty: the header of the package.
	File string `json:"file,omitempty"`
	// Got is what stands there, Want what should.
	Got  string `json:"got"`
	Want string `json:"want,omitempty"`
	// Count is how often it was seen.
	Count int `json:"count"`
}

func (l Leak) String() string {
	where := "the header"
	if l.File != "" {
		where = l.File
	}
	text := fmt.Sprintf("%s in %s: %s", l.Kind, where, l.Got)
	if l.Want != "" {
		text += ", want " + l.Want
	}
	switch {
	case l.Count == 2:
		text += " (and once more)"
	case l.Count > 2:
		text += fmt.Sprintf(" (and %d more)", l.Count-1)
	}
	return text
}

// Find reads a package and gives what leaked into it, by kind. The package is
// one that was verified: a fault of its form is an error.
func Find(r io.Reader, f Facts) ([]Leak, error) {
	p, err := rpm.ReadPackage(r)
	if err != nil {
		return nil, err
	}
	files, err := p.Files()
	if err != nil {
		return nil, err
	}
	s := &search{Facts: f, needles: needles(f), inodes: mostInode(p, len(files))}
	s.header(p, files)
	if err := s.payload(p, r); err != nil {
		return nil, err
	}
	return s.found, nil
}

// search collects what is found in one package.
type search struct {
	Facts
	needles []needle
	inodes  int64 // the greatest that rpm gives a file of this package
	file    string
	found   []Leak
	// free are buffers that no stream is searched with.
	free [][]byte
}

// numbersSince is the version of rpm from which on it numbers the files of a
// package from 1. An earlier one takes over what it sees, which the stat pin
// numbers from one package to the next: no number of those tells a leak.
const numbersSince = "4.10"

func mostInode(p *rpm.Package, files int) int64 {
	if rpm.CompareVersions(p.Header.String(rpm.TagRPMVersion), numbersSince) < 0 {
		return math.MaxInt64
	}
	return int64(files)
}

// add counts a leak, and keeps the first of its kind.
func (s *search) add(kind Kind, file, got, want string) {
	i := slices.IndexFunc(s.found, func(l Leak) bool { return l.Kind == kind })
	if i < 0 {
		s.found = append(s.found, Leak{kind, file, got, want, 1})
		return
	}
	s.found[i].Count++
}

func (s *search) header(p *rpm.Package, files []rpm.File) {
	if t := p.BuildTime(); t != s.Epoch {
		s.add(BuildTime, "", moment(t), moment(s.Epoch))
	}
	if host := p.Header.String(rpm.TagBuildHost); host != s.Hostname {
		s.add(BuildHost, "", host, s.Hostname)
	}
	for _, device := range p.Header.Ints(rpm.TagFileDevices) {
		if device != 1 { // what rpm writes for all files of a file system
			s.add(Device, "", fmt.Sprint(device), "1")
		}
	}
	for _, f := range files {
		s.stat(f)
	}
}

// stat looks at what the header has of a file that the file system gave it.
func (s *search) stat(f rpm.File) {
	if f.Mtime > s.Epoch {
		s.add(Mtime, f.Path, moment(f.Mtime), "at most "+moment(s.Epoch))
	}
	if f.Inode > s.inodes {
		s.add(Inode, f.Path, fmt.Sprint(f.Inode), fmt.Sprintf("at most %d", s.inodes))
	}
	const directory = 0o040000
	if f.Mode&0o170000 == directory && f.Size != 0 && f.Size != 4096 { // rpm 4.18's, and the stat pin's
		s.add(DirectorySize, f.Path, fmt.Sprint(f.Size), "4096")
	}
}

func (s *search) payload(p *rpm.Package, r io.Reader) error {
	archive, err := p.Payload(r)
	if err != nil {
		return err
	}
	defer archive.Close()
	for {
		e, err := archive.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		s.file = cmp.Or(e.Name[min(1, len(e.Name)):], e.Name) // "./boot" is /boot
		s.entry(e)
		if err := s.content(archive); err != nil {
			return err
		}
	}
}

// entry looks at what the archive has of a file.
func (s *search) entry(e *rpm.Entry) {
	if e.Mtime > s.Epoch {
		s.add(Mtime, s.file, moment(e.Mtime), "at most "+moment(s.Epoch))
	}
	if e.Inode > s.inodes {
		s.add(Inode, s.file, fmt.Sprint(e.Inode), fmt.Sprintf("at most %d", s.inodes))
	}
	if d := e.Device; d != [2]int64{0, 0} && d != [2]int64{0, 1} { // rpm 4.18's, and the stat pin's
		s.add(Device, s.file, fmt.Sprintf("%d:%d", d[0], d[1]), "0:1")
	}
}

// moment shows seconds since 1970.
func moment(seconds int64) string {
	return time.Unix(seconds, 0).UTC().Format("2006-01-02 15:04:05 UTC")
}
