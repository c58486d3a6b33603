// Package plan describes a build completely before it runs.
//
// New makes a Plan out of a recipe and an Input, the facts that the recipe leaves
// open: the SRPM, the definition of the builder image, the limits. The same facts
// give the same plan, on every host and every day. A build runs as its plan says:
// it gets no variable and no argument that is not in the plan. Plan.ID identifies
// a plan, Plan.Text is its description for a person, and Differences compares two.
//
// DefineImage finds the files that a builder image is made from, with the digest
// that goes into the Input. A Pin is one of the measures that make two builds of a
// plan equal; Pins lists their names. A Lock is a plan in a file, together with
// the recipe and all files beside it, from which the same build can be made again.
package plan

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"

	"namibuild/builder/recipe"
)

// These are the same in every build container, because they get into packages
// (as BUILDHOST, and in debug information).
const (
	hostname = "namibuild"
	userName = "builder"
	userIDs  = "1000:1000"
	topdir   = "/usr/src/namibuild/rpmbuild"
)

// Topdir is the only folder of a builder image that a build can write to.
const Topdir = topdir

// Input are the facts that a recipe leaves open.
type Input struct {
	SRPM SRPM
	// Insecure is why the SRPM is not trusted although it is used, on one line. It
	// is empty if the SRPM is trusted.
	Insecure string
	// Image is the digest of the builder image's definition, Files are the digests
	// of its files by their paths.
	Image string
	Files map[string]string
	// ModuleKey is the fingerprint of the recipe's module key, in the form of
	// ModuleKey.Fingerprint. It is empty for an ephemeral key.
	ModuleKey string
	// Unpinned are the names of pins to leave out.
	Unpinned []string
	// Jobs is how many processes make runs at once.
	Jobs int
	// MemoryBytes is the container's limit. 0 means none.
	MemoryBytes int64
	// TmpfsBytes, if not 0, puts the topdir into memory, with this many bytes.
	TmpfsBytes int64
}

// SRPM is the source package. If File is empty, it has not been fetched yet, and
// the plan leaves open what depends on it.
type SRPM struct {
	// File is its file's name, without a folder.
	File string `json:"file"`
	// SHA256 is 64 lower-case hexadecimal digits.
	SHA256 string `json:"sha256"`
	// Epoch is its build time, in seconds since 1970: the only clock of the build.
	Epoch int64 `json:"epoch"`
}

// Var is a variable of the build's environment, and the reason for it.
type Var struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Reason string `json:"reason"`
}

// Patch is a patch of the recipe, with the digest of its content.
type Patch struct {
	File   string `json:"file"`
	Strip  int    `json:"strip"`
	SHA256 string `json:"sha256"`
}

// Added is a file that the recipe puts into SOURCES, with the digest of its
// content.
type Added struct {
	File   string `json:"file"`
	As     string `json:"as"`
	SHA256 string `json:"sha256"`
}

// Plan describes one build. It is a plain value and is not changed.
type Plan struct {
	// Name, Source, Tag, Config, Edits, Packages and the name of the Image are
	// those of the recipe. Source.File has no folder. Patches and Sources have
	// digests instead of the contents.
	Name   string        `json:"name"`
	Source recipe.Source `json:"source"`
	SRPM   SRPM          `json:"srpm"`
	// Insecure is that of the Input.
	Insecure string `json:"insecure,omitempty"`
	Tag      string `json:"tag"`
	// Stock tells that the recipe's changes are left out: this is the vendor's own
	// kernel.
	Stock    bool            `json:"stock,omitempty"`
	Config   []recipe.Option `json:"config,omitempty"`
	Patches  []Patch         `json:"patches,omitempty"`
	Sources  []Added         `json:"sources,omitempty"`
	Edits    []recipe.Edit   `json:"edits"`
	Packages []string        `json:"packages"`
	// Image is the builder image, ImageDigest the digest of its definition.
	Image       string `json:"image"`
	ImageDigest string `json:"imageDigest"`
	// Hostname, User (uid:gid), UserName and Topdir are those of the container. If
	// Hostname is empty, the engine chooses one.
	Hostname string `json:"hostname"`
	User     string `json:"user"`
	UserName string `json:"userName"`
	Topdir   string `json:"topdir"`
	// Env is the whole environment. Args are all arguments of rpmbuild except the
	// spec and those that only say where the topdir is.
	Env  []Var    `json:"env"`
	Args []string `json:"args"`
	// ModuleKey is what signs the kernel's modules.
	ModuleKey ModuleKey `json:"moduleKey"`
	// Pins make two builds equal. Those that are off were left out on request.
	Pins []Pin `json:"pins"`
	// Jobs, MemoryBytes and TmpfsBytes are those of the Input.
	Jobs        int   `json:"jobs"`
	MemoryBytes int64 `json:"memoryBytes"`
	TmpfsBytes  int64 `json:"tmpfsBytes"`
}

// New plans a build. The error names every fact that is missing or wrong.
func New(r recipe.Recipe, in Input) (Plan, error) {
	image, err := imageNamed(r.Image)
	if err := errors.Join(err, in.check(), in.checkSRPM(r.Source), in.checkPins(), in.checkModuleKey(r.ModuleKey)); err != nil {
		return Plan{}, fmt.Errorf("planning %s: %w", r.Name, err)
	}
	key := moduleKey(r.ModuleKey, in.ModuleKey)
	return Plan{
		Name:        r.Name,
		Source:      portable(r.Source),
		SRPM:        in.SRPM,
		Insecure:    in.Insecure,
		Tag:         r.Tag,
		Stock:       r.Stock,
		Config:      slices.Clone(r.Config),
		Patches:     patches(r.Patches),
		Sources:     added(r.Sources),
		Edits:       append([]recipe.Edit{}, r.Edits...),
		Packages:    append([]string{}, r.Packages...),
		Image:       r.Image,
		ImageDigest: in.Image,
		Hostname:    in.hostname(),
		User:        userIDs,
		UserName:    userName,
		Topdir:      topdir,
		Env:         environment(image, key, in),
		Args:        arguments(image, r.Rpmbuild, in),
		ModuleKey:   key,
		Pins:        pins(image, in),
		Jobs:        in.Jobs,
		MemoryBytes: in.MemoryBytes,
		TmpfsBytes:  in.TmpfsBytes,
	}, nil
}

func (in Input) hostname() string {
	if in.pinned(PinBuildHost) {
		return hostname
	}
	return ""
}

func patches(all []recipe.Patch) []Patch {
	var list []Patch
	for _, p := range all {
		list = append(list, Patch{p.File, p.Strip, digest(p.Content)})
	}
	return list
}

func added(all []recipe.Added) []Added {
	var list []Added
	for _, a := range all {
		list = append(list, Added{a.File, a.As, digest(a.Content)})
	}
	return list
}

func digest(content []byte) string { return fmt.Sprintf("%x", sha256.Sum256(content)) }

// ID identifies the plan by 64 hexadecimal digits. They differ for plans that differ
// in anything but the mirrors, which have the same bytes as the url. The ID is the
// SHA-256 of the plan as JSON, behind a line with the number of this form.
func (p Plan) ID() string {
	p.Source.Mirrors = nil
	data, err := json.Marshal(p)
	if err != nil {
		panic(err) // cannot happen: a plan is made of text and numbers
	}
	return fmt.Sprintf("%x", sha256.Sum256(append([]byte("namibuild plan 2\n"), data...)))
}

// portable returns a source without what depends on this host.
func portable(s recipe.Source) recipe.Source {
	if s.File != "" {
		s.File = filepath.Base(s.File)
	}
	if s.Tarball.File != "" {
		s.Tarball.File = s.Tarball.Name()
	}
	s.Mirrors = slices.Clone(s.Mirrors)
	return s
}

func (in Input) check() error {
	var wrong []error
	if in.Image == "" {
		wrong = append(wrong, errors.New("digest of the image's definition is missing"))
	}
	if in.Jobs < 1 {
		wrong = append(wrong, fmt.Errorf("jobs is %d, must be 1 or more", in.Jobs))
	}
	if in.MemoryBytes < 0 {
		wrong = append(wrong, fmt.Errorf("memory is %d bytes, must be 0 or more", in.MemoryBytes))
	}
	if in.TmpfsBytes < 0 {
		wrong = append(wrong, fmt.Errorf("size of the topdir in memory is %d bytes, must be 0 or more", in.TmpfsBytes))
	}
	return errors.Join(wrong...)
}

var sha256Form = regexp.MustCompile(`^[0-9a-f]{64}$`)

// checkSRPM checks the SRPM, and its digest against the recipe's source.
func (in Input) checkSRPM(from recipe.Source) error {
	s := in.SRPM
	var wrong []error
	if s.File != "" && (!fs.ValidPath(s.File) || filepath.Base(s.File) != s.File || s.File == ".") {
		wrong = append(wrong, fmt.Errorf("file of the SRPM is %q, must be a name without a folder", s.File))
	}
	switch known := s.File != "" || s.SHA256 != ""; {
	case known && !sha256Form.MatchString(s.SHA256):
		wrong = append(wrong, fmt.Errorf("sha256 of the SRPM is %q, must be 64 lower-case hexadecimal digits", s.SHA256))
	case known && in.Insecure == "" && from.SHA256 != "" && s.SHA256 != from.SHA256:
		wrong = append(wrong, fmt.Errorf("sha256 of the SRPM is %s, must be the recipe's %s", s.SHA256, from.SHA256))
	}
	if s.Epoch < 0 {
		wrong = append(wrong, fmt.Errorf("build time of the SRPM is %d, must be 0 or more", s.Epoch))
	}
	return errors.Join(wrong...)
}
