// Package leak finds traces of the build in one package: its time, its host and
// its file system. It needs no second build to compare with.
//
// [Find] reads a package and returns its leaks; [FindFile] does so for a file. Most of
// them are in the header and in the cpio archive (BUILDTIME, BUILDHOST, mtimes, devices,
// inodes, sizes of folders). For dates, host names and times in gzip headers, Find reads the
// contents of all files, and unpacks compressed ones and the kernel in a bzImage.
// Memory does not depend on the sizes of the files.
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

// Facts are what is known of the build of a package.
type Facts struct {
	// Epoch is the clock of the build, in seconds since 1970.
	Epoch int64
	// Hostname is the host name that the build was given, the only one allowed in a
	// package.
	Hostname string
	// Host is the real name of the build host, empty if it is not known.
	Host string
	// Days are the days on which the build ran, sorted; none if they are not known.
	Days []time.Time
}

// Kind says what leaked.
type Kind string

// The kinds. The comments name the pins that prevent them.
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

// Leak is everything that leaked into a package of one kind.
type Leak struct {
	Kind Kind `json:"kind"`
	// File is the first file that has it, empty for the header of the package.
	File string `json:"file,omitempty"`
	// Got is what was found there, Want what is allowed.
	Got  string `json:"got"`
	Want string `json:"want,omitempty"`
	// Count is how often it was found.
	Count int `json:"count"`
}

// String returns the leak on one line.
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

// Find reads a package and returns what leaked into it, one Leak for each kind. The
// caller has verified the package; Find returns an error if it cannot read it.
func Find(r io.Reader, f Facts) ([]Leak, error) {
	p, err := rpm.ReadPackage(r)
	if err != nil {
		return nil, err
	}
	files, err := p.Files()
	if err != nil {
		return nil, err
	}
	s := &search{Facts: f, needles: needles(f), inodes: largestInode(p, len(files))}
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
	inodes  int64  // the largest inode number that rpm gives a file of this package
	file    string // the path of the current file
	found   []Leak
	// free are the buffers that are not in use.
	free [][]byte
}

// numbersSince is the first version of rpm that numbers the files of a package from
// 1. Earlier ones write the inodes that they see, which the stat pin numbers on
// from one package to the next, so that no number is a leak.
const numbersSince = "4.10"

// largestInode returns the largest inode number that rpm gives a file of p.
func largestInode(p *rpm.Package, files int) int64 {
	if rpm.CompareVersions(p.Header.String(rpm.TagRPMVersion), numbersSince) < 0 {
		return math.MaxInt64
	}
	return int64(files)
}

// add counts a leak and records the first one of each kind.
func (s *search) add(kind Kind, file, got, want string) {
	i := slices.IndexFunc(s.found, func(l Leak) bool { return l.Kind == kind })
	if i < 0 {
		s.found = append(s.found, Leak{kind, file, got, want, 1})
		return
	}
	s.found[i].Count++
}

// header searches the header.
func (s *search) header(p *rpm.Package, files []rpm.File) {
	if t := p.BuildTime(); t != s.Epoch {
		s.add(BuildTime, "", moment(t), moment(s.Epoch))
	}
	if host := p.Header.String(rpm.TagBuildHost); host != s.Hostname {
		s.add(BuildHost, "", host, s.Hostname)
	}
	for _, device := range p.Header.Ints(rpm.TagFileDevices) {
		if device != 1 { // what rpm writes for all files of one file system
			s.add(Device, "", fmt.Sprint(device), "1")
		}
	}
	for _, f := range files {
		s.stat(f)
	}
}

// stat checks what the header has from the file system about a file.
func (s *search) stat(f rpm.File) {
	if f.Mtime > s.Epoch {
		s.add(Mtime, f.Path, moment(f.Mtime), "at most "+moment(s.Epoch))
	}
	if f.Inode > s.inodes {
		s.add(Inode, f.Path, fmt.Sprint(f.Inode), fmt.Sprintf("at most %d", s.inodes))
	}
	const directory = 0o040000
	if f.Mode&0o170000 == directory && f.Size != 0 && f.Size != 4096 { // rpm 4.18 writes 0, and the stat pin shows 4096
		s.add(DirectorySize, f.Path, fmt.Sprint(f.Size), "4096")
	}
}

// payload searches the payload.
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

// entry checks what the archive has from the file system about a file.
func (s *search) entry(e *rpm.Entry) {
	if e.Mtime > s.Epoch {
		s.add(Mtime, s.file, moment(e.Mtime), "at most "+moment(s.Epoch))
	}
	if e.Inode > s.inodes {
		s.add(Inode, s.file, fmt.Sprint(e.Inode), fmt.Sprintf("at most %d", s.inodes))
	}
	if d := e.Device; d != [2]int64{0, 0} && d != [2]int64{0, 1} { // rpm 4.18 writes 0:0, and the stat pin shows 0:1
		s.add(Device, s.file, fmt.Sprintf("%d:%d", d[0], d[1]), "0:1")
	}
}

// moment returns seconds since 1970 as people read them.
func moment(seconds int64) string {
	return time.Unix(seconds, 0).UTC().Format("2006-01-02 15:04:05 UTC")
}
