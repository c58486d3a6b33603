// Package set is a set of packages on the disk, with the records beside them.
//
// There are four forms of it (see [Kind]): the output directory of a build, a release, a
// folder of packages, and a single package. [Find] tells which one a path is. [Open] reads
// it: once, every file from its beginning to its end, with every digest checked. What comes of it
// is a value that the later steps carry, so that none of them reads or
// hashes a file again.
//
// [Table] lists all files that a set or a release can hold and says what each one is for:
// everything that asks which files there are reads it there.
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

// Set is a set that Open has read.
type Set struct {
	Place
	// RPMs are the packages, SRPMs the source packages of SRPMS, by file name.
	RPMs, SRPMs []artifact.RPM
	// Files are the files of Table beside the packages, by path.
	Files Files
	// Record is what the build noted; nil where there is no record.
	Record *Record
	// Other names a package that is not as the record says, is missing, or is too
	// many. It is empty where the packages are those of the record, or there is none.
	Other string
}

// Open reads the set at a path. The errors are a *PathError where there is none, a *FormError
// for a record of another version of namibuild, and those of damaged packages.
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
		return s.openBeside()
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

// openBeside adds the record that lies beside a single package, if the record is about that
// package.
func (s Set) openBeside() (Set, error) {
	r, err := ReadRecord(s.Dir)
	if err != nil || r == nil {
		return s, err
	}
	if slices.ContainsFunc(r.RPMs, func(one artifact.RPM) bool { return one.SHA256 == s.RPMs[0].SHA256 }) {
		s.Record = r
	}
	return s, nil
}

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

// Built reports an error unless the packages are those that the build of the set made: an
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

// Root reads the packages of the builder image that the set was built in. The error is a
// *StaleError where the record does not name them.
func (s Set) Root() (buildroot.Root, error) {
	if s.Record.BuildRoot.File == "" {
		return buildroot.Root{}, &StaleError{s.Dir, "its " + RecordFile + " does not tell what it was built in: an earlier version of namibuild made it"}
	}
	data, err := s.attached(s.Record.BuildRoot)
	if err != nil {
		return buildroot.Root{}, err
	}
	return buildroot.ParseJSON(data)
}

// ChangesDiff reads what the recipe changed in the source, as a unified diff; empty: nothing.
func (s Set) ChangesDiff() (string, error) {
	if s.Record.Changes.File == "" {
		return "", nil
	}
	data, err := s.attached(s.Record.Changes)
	return string(data), err
}

// attached gives a file that the record names, if it is as the build left it.
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

// LockFile is the name of the lock that a locked build leaves in its set.
func (r Record) LockFile() string { return r.Plan.Name + ".lock" }

// Unlocked says why the files hold no lock of the plan of a record. It is empty if they hold
// one.
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

// Files are files of a set, by path.
type Files []File

// Get gives the file of a path.
func (f Files) Get(name string) (File, bool) {
	i, ok := slices.BinarySearchFunc(f, name, func(a File, name string) int { return strings.Compare(a.Name, name) })
	if !ok {
		return File{}, false
	}
	return f[i], true
}

// record parses the record of the build; nil: there is none.
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
	path   string
	data   []byte
}

// maxKept bounds what is kept of a file in memory, in bytes. Records are smaller; logs can
// be larger.
const maxKept = 16 << 20

// ReadFile reads and hashes a file of the folder dir, whose path there is name.
func ReadFile(dir, name string) (File, error) {
	f := File{Name: name, path: filepath.Join(dir, filepath.FromSlash(name))}
	in, err := os.Open(f.path)
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

// Open gives the content of the file from its beginning. The caller closes it.
func (f File) Open() (io.ReadCloser, error) {
	if f.data != nil {
		return io.NopCloser(bytes.NewReader(f.data)), nil
	}
	return os.Open(f.path)
}

// Read gives the content of the file.
func (f File) Read() ([]byte, error) {
	if f.data != nil {
		return f.data, nil
	}
	return os.ReadFile(f.path)
}

// Of makes a File of content that is not on the disk yet.
func Of(name string, content []byte) File {
	sum := sha256.Sum256(content)
	return File{Name: name, Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:]), data: slices.Clip(append([]byte{}, content...))}
}

// ErrNoRecord says that no record of a build lies in a folder.
var ErrNoRecord = errors.New("no build.json is there")

// PathError says that a path is neither an output directory nor a package.
type PathError struct{ Path, Reason string }

func (e *PathError) Error() string { return fmt.Sprintf("reading %s: %s", e.Path, e.Reason) }

// StaleError says that a set cannot be described any more: an earlier version of
// namibuild made it, or a file of its record is not as the build left it.
type StaleError struct{ Path, Reason string }

func (e *StaleError) Error() string { return fmt.Sprintf("reading %s: %s", e.Path, e.Reason) }

// OtherPackagesError says that a folder does not hold the packages that its record is
// about.
type OtherPackagesError struct {
	Dir  string
	File string // a package that is another, missing, or too many
}

func (e *OtherPackagesError) Error() string {
	return fmt.Sprintf("%s: %s is not as the build made it", e.Dir, e.File)
}

// With gives the files of the set that have a role, in the order of Table. Of several locks it gives
// the lock of the set's plan alone.
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
