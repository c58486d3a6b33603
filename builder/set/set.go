// Package set reads sets: packages on the disk, with the records of their build beside
// them.
//
// A set has one of four kinds (see [Kind]): the output directory of a build, a release, a
// folder of packages, or a single package. [Find] finds out which kind a path names. [Open]
// reads the set: every file once, from its beginning to its end, with all digests checked.
// Later steps use the [Set] that it returns, so that none of them reads or hashes a file
// again. [OpenRecorded] reads a set except for its packages.
//
// [Table] lists all files that a set or a release can have, and says how each is used.
// Whoever needs a list of such files takes it from there.
//
// Every record is a JSON file with the number of its form, which [Decode] checks.
package set

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"namibuild/builder/artifact"
	"namibuild/builder/buildroot"
	"namibuild/builder/plan"
)

// Set is a set that was read.
type Set struct {
	Place
	// RPMs are the packages, and SRPMs the source packages in the folder SRPMS. Both
	// are sorted by file name.
	RPMs, SRPMs []artifact.RPM
	// Files are the files beside the packages that Table lists, sorted by path.
	Files Files
	// Record is the record of the build. It is nil if there is none, and for a Single: the
	// record is about all packages of a build.
	Record *Record
	// Other is the result of Record.Differs. It is empty if there is no record.
	Other string
}

// Open reads the set at a path. The error is a *PathError if there is none, a *FormError if
// another version of namibuild wrote the record, or says that a package is damaged.
func Open(path string) (Set, error) {
	place, err := Find(path)
	if err != nil {
		return Set{}, err
	}
	s := Set{Place: place}
	if s.RPMs, err = openPackages(place.Packages, place.RPMNames); err != nil {
		return Set{}, err
	}
	if s.SRPMs, err = openPackages(place.Join(SRPMS), place.SRPMNames); err != nil {
		return Set{}, err
	}
	if place.Kind == Single {
		return s, nil
	}
	if err := s.readFiles(); err != nil {
		return Set{}, err
	}
	if s.Record != nil {
		s.Other = s.Record.Differs(s.RPMs, s.SRPMs)
	}
	return s, nil
}

// OpenRecorded reads a set that has a record, but not its packages: it takes their digests
// from the record, and compares only names and sizes of the files. It is for a caller that
// compares the digests when it reads the packages itself. The errors are those of Open,
// ErrNoRecord, and an *OtherPackagesError.
func OpenRecorded(path string) (Set, error) {
	place, err := Find(path)
	if err != nil {
		return Set{}, err
	}
	s := Set{Place: place}
	if err := s.readFiles(); err != nil {
		return Set{}, err
	}
	if s.Record == nil {
		return Set{}, fmt.Errorf("opening %s: %w", s.Dir, ErrNoRecord)
	}
	s.RPMs, s.SRPMs = s.Record.RPMs, s.Record.sources()
	if s.Other, err = DiffersInSize(s.Packages, s.RPMNames, s.RPMs); s.Other == "" && err == nil {
		s.Other, err = DiffersInSize(s.Join(SRPMS), s.SRPMNames, s.SRPMs)
	}
	if err != nil {
		return Set{}, fmt.Errorf("reading %s: %w", path, err)
	}
	return s, s.Built()
}

// DiffersInSize names a package of a folder that is missing, is too many, or has another
// size than want says. It is empty if there is none. names are the names of the packages in
// the folder.
func DiffersInSize(dir string, names []string, want []artifact.RPM) (string, error) {
	sizes := map[string]int64{}
	for _, r := range want {
		sizes[r.File] = r.Size
	}
	for _, name := range names {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			return "", err
		}
		if size, ok := sizes[name]; !ok || size != info.Size() {
			return name, nil
		}
		delete(sizes, name)
	}
	for name := range sizes {
		return name, nil
	}
	return "", nil
}

// readFiles reads the files beside the packages, and the record among them.
func (s *Set) readFiles() (err error) {
	if s.Files, err = s.ReadFiles(); err != nil {
		return err
	}
	if s.Record, err = s.Files.record(); err != nil {
		return fmt.Errorf("reading %s: %w", s.Join(RecordFile), err)
	}
	return nil
}

// openPackages reads packages of a folder and checks their digests.
func openPackages(dir string, names []string) ([]artifact.RPM, error) {
	var all []artifact.RPM
	for _, name := range names {
		one, err := artifact.Read(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// Built reports an error unless the packages are those of the record. The error is
// ErrNoRecord or an *OtherPackagesError.
func (s Set) Built() error {
	switch {
	case s.Record == nil:
		return fmt.Errorf("opening %s: %w", s.Dir, ErrNoRecord)
	case s.Other != "":
		return &OtherPackagesError{s.Dir, s.Other}
	}
	return nil
}

// Root reads the list of the packages with which the set was built. The error is a
// *StaleError if the list is missing or was changed.
func (s Set) Root() (buildroot.Root, error) {
	if s.Record.BuildRoot.File == "" {
		return buildroot.Root{}, &StaleError{s.Dir, "its " + RecordFile + " does not say what it was built with: an earlier version of namibuild made it"}
	}
	data, err := s.attached(s.Record.BuildRoot)
	if err != nil {
		return buildroot.Root{}, err
	}
	return buildroot.ParseJSON(data)
}

// ChangesDiff reads what the recipe changed in the source, as a unified diff. It is empty
// if the recipe changed nothing.
func (s Set) ChangesDiff() (string, error) {
	if s.Record.Changes.File == "" {
		return "", nil
	}
	data, err := s.attached(s.Record.Changes)
	return string(data), err
}

// attached returns the content of a file that the record names, if it was not changed.
func (s Set) attached(a Attached) ([]byte, error) {
	f, ok := s.Files.Get(filepath.Base(a.File))
	if !ok {
		return nil, &StaleError{s.Dir, a.File + " is missing"}
	}
	if f.SHA256 != a.SHA256 {
		return nil, &StaleError{s.Dir, fmt.Sprintf("sha256 of %s got %s, want %s", a.File, f.SHA256, a.SHA256)}
	}
	return f.Read()
}

// LockFile returns the name of the lock that a locked build leaves in its set.
func (r Record) LockFile() string { return r.Plan.Name + ".lock" }

// Unlocked says why there is no lock of a record's plan among the files. It is empty if
// there is one.
func (f Files) Unlocked(r Record) (string, error) {
	name := r.LockFile()
	file, ok := f.Get(name)
	if !ok {
		return "it has no " + name, nil
	}
	data, err := file.Read()
	if err != nil {
		return "", err
	}
	l, err := plan.ParseLock(bytes.NewReader(data))
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", name, err)
	}
	if id := l.Plan.ID(); id != r.PlanID {
		return fmt.Sprintf("its %s is about plan %.12s", name, id), nil
	}
	return "", nil
}

// Files are files of a set, sorted by path.
type Files []File

// Get returns the file with a path.
func (f Files) Get(name string) (File, bool) {
	i, ok := slices.BinarySearchFunc(f, name, func(a File, name string) int { return strings.Compare(a.Name, name) })
	if !ok {
		return File{}, false
	}
	return f[i], true
}

// record parses the record of the build. It returns nil if there is none.
func (f Files) record() (*Record, error) {
	file, ok := f.Get(RecordFile)
	if !ok {
		return nil, nil
	}
	data, err := file.Read()
	if err != nil {
		return nil, err
	}
	return parseRecord(data)
}

// File is a file of a set beside its packages.
type File struct {
	// Name is the path in the set's folder, with slashes.
	Name   string
	Size   int64  // bytes
	SHA256 string // lower-case hexadecimal
	dir    string
	data   []byte
}

// maxKept is the size in bytes of the largest file that is kept in memory. Records are
// smaller, logs can be larger.
const maxKept = 16 << 20

// ReadFile reads and hashes the file that OpenIn opens.
func ReadFile(dir, name string) (File, error) {
	f := File{Name: name, dir: dir}
	in, err := OpenIn(dir, name)
	if err != nil {
		return File{}, err
	}
	defer in.Close()
	var kept bytes.Buffer
	sum := sha256.New()
	if f.Size, err = io.Copy(sum, io.TeeReader(io.LimitReader(in, maxKept), &kept)); err != nil {
		return File{}, err
	}
	f.data = kept.Bytes()
	more, err := io.Copy(sum, in)
	if err != nil {
		return File{}, err
	}
	if f.Size += more; more > 0 {
		f.data = nil
	}
	f.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return f, nil
}

// Open returns a reader of the file, which the caller closes.
func (f File) Open() (io.ReadCloser, error) {
	if f.data != nil {
		return io.NopCloser(bytes.NewReader(f.data)), nil
	}
	return OpenIn(f.dir, f.Name)
}

// Read returns the content of the file.
func (f File) Read() ([]byte, error) {
	if f.data != nil {
		return f.data, nil
	}
	return ReadIn(f.dir, f.Name)
}

// Of returns a File of content that is not on the disk yet.
func Of(name string, content []byte) File {
	sum := sha256.Sum256(content)
	return File{Name: name, Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:]), data: slices.Clip(append([]byte{}, content...))}
}

// ErrNoRecord reports that a folder has no record of a build.
var ErrNoRecord = errors.New("it has no build.json")

// PathError reports that a path does not name a set, or not one of the needed kind.
type PathError struct{ Path, Reason string }

func (e *PathError) Error() string { return fmt.Sprintf("reading %s: %s", e.Path, e.Reason) }

// StaleError reports that a set cannot be described: an earlier version of namibuild made
// it, or a file that its record names is missing or was changed.
type StaleError struct{ Path, Reason string }

func (e *StaleError) Error() string { return fmt.Sprintf("reading %s: %s", e.Path, e.Reason) }

// OtherPackagesError reports that a folder does not have the packages of its record.
type OtherPackagesError struct {
	Dir  string
	File string // a package that is another one, is missing, or is not in the record
}

func (e *OtherPackagesError) Error() string {
	return fmt.Sprintf("%s: %s is not as the build made it", e.Dir, e.File)
}

// With returns the files of the set that have a role, in the order of Table. Of several
// locks it returns only the lock of the set's plan.
func (s Set) With(role Role) []File {
	var all []File
	for _, row := range table {
		if !row.Has(role) {
			continue
		}
		for _, f := range s.Files {
			of, _ := Lookup(f.Name)
			if of.Pattern != row.Pattern || of.Pattern == lockPattern && (s.Record == nil || f.Name != s.Record.LockFile()) {
				continue
			}
			all = append(all, f)
		}
	}
	return all
}
