// Package plan says everything that a build will do before it does it.
//
// New makes a Plan out of a recipe and the facts that the recipe leaves open:
// the SRPM that came, the builder image's definition, the limits. It is pure:
// the same facts give the same plan, on every host and every day. Plan.ID names
// it, Plan.Text shows it to a person, and the run takes it as it stands: no
// variable and no argument reaches a build that is not in its plan.
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

// What every build container has, whatever the recipe: these names end up in
// packages (BUILDHOST, debug information), so they are the same everywhere.
const (
	hostname = "namibuild"
	userName = "builder"
	userIDs  = "1000:1000"
	topdir   = "/usr/src/namibuild/rpmbuild"
)

// Topdir is the one folder of a builder image that may be written to.
const Topdir = topdir

// Input are the facts that a recipe leaves open.
type Input struct {
	SRPM SRPM
	// Insecure is what was wrong with the SRPM when it was taken all the same,
	// on one line; empty: nothing was.
	Insecure string
	// Image is the digest of the builder image's definition, Files are those of
	// its files by path.
	Image string
	Files map[string]string
	// ModuleKey is the fingerprint of the recipe's module key, as ModuleKey.Fingerprint
	// has it; empty for an ephemeral one.
	ModuleKey string
	// Unpinned are the names of pins to leave out.
	Unpinned []string
	// Jobs is how many processes make runs at once.
	Jobs int
	// MemoryBytes is the container's limit; 0 is none.
	MemoryBytes int64
	// TmpfsBytes, if not 0, puts the topdir into memory, with this many bytes.
	TmpfsBytes int64
}

// SRPM is the source package as it came. With an empty File it has not come
// yet: the plan then leaves open what depends on it.
type SRPM struct {
	// File is its name without a folder.
	File string `json:"file"`
	// SHA256 is 64 lower-case hexadecimal digits.
	SHA256 string `json:"sha256"`
	// Epoch is its build time in seconds: the only clock of the build.
	Epoch int64 `json:"epoch"`
}

// Var is a variable of the build's environment and why it is there.
type Var struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Reason string `json:"reason"`
}

// Patch is one of the recipe's, its content by digest.
type Patch struct {
	File   string `json:"file"`
	Strip  int    `json:"strip"`
	SHA256 string `json:"sha256"`
}

// Added is a file that the recipe puts into SOURCES, its content by digest.
type Added struct {
	File   string `json:"file"`
	As     string `json:"as"`
	SHA256 string `json:"sha256"`
}

// Plan is one build. It is a plain value and does not change.
type Plan struct {
	// Name, Tag, Config, Edits and Packages are the recipe's, as are Source and, by
	// name, Image. A Source.File is without its folder. Patches and Sources
	// stand for the recipe's by their digests.
	Name   string        `json:"name"`
	Source recipe.Source `json:"source"`
	SRPM   SRPM          `json:"srpm"`
	// Insecure is the Input's: the recipe does not vouch for the SRPM.
	Insecure string `json:"insecure,omitempty"`
	Tag      string `json:"tag"`
	// Stock: what the recipe changes is left out, this is the vendor's own kernel.
	Stock    bool            `json:"stock,omitempty"`
	Config   []recipe.Option `json:"config,omitempty"`
	Patches  []Patch         `json:"patches,omitempty"`
	Sources  []Added         `json:"sources,omitempty"`
	Edits    []recipe.Edit   `json:"edits"`
	Packages []string        `json:"packages"`
	// Image is the builder image, ImageDigest that of its definition.
	Image       string `json:"image"`
	ImageDigest string `json:"imageDigest"`
	// Hostname, User (uid:gid), UserName and Topdir are those of the container;
	// an empty host name is whatever the engine gives.
	Hostname string `json:"hostname"`
	User     string `json:"user"`
	UserName string `json:"userName"`
	Topdir   string `json:"topdir"`
	// Env is the whole environment, Args are all arguments of rpmbuild but the
	// spec and what only says where the topdir is.
	Env  []Var    `json:"env"`
	Args []string `json:"args"`
	// ModuleKey is what signs the kernel's modules.
	ModuleKey ModuleKey `json:"moduleKey"`
	// Pins hold the build still; those that are off were left out on request.
	Pins []Pin `json:"pins"`
	// Jobs, MemoryBytes and TmpfsBytes are the Input's.
	Jobs        int   `json:"jobs"`
	MemoryBytes int64 `json:"memoryBytes"`
	TmpfsBytes  int64 `json:"tmpfsBytes"`
}

// New plans a build. The error names every fact that does not do.
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

// ID names the plan: 64 hexadecimal digits that are others when anything in it
// is but the mirrors, which hold the same bytes as the url. It is the SHA-256 of
// the plan as JSON, behind a line that names this form.
func (p Plan) ID() string {
	p.Source.Mirrors = nil
	data, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings and numbers alone: cannot happen
	}
	return fmt.Sprintf("%x", sha256.Sum256(append([]byte("namibuild plan 2\n"), data...)))
}

// portable is a source without what is only true on this host.
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
		wrong = append(wrong, errors.New("no digest of the image's definition"))
	}
	if in.Jobs < 1 {
		wrong = append(wrong, fmt.Errorf("%d jobs, want at least 1", in.Jobs))
	}
	if in.MemoryBytes < 0 {
		wrong = append(wrong, fmt.Errorf("%d bytes of memory, want 0 or more", in.MemoryBytes))
	}
	if in.TmpfsBytes < 0 {
		wrong = append(wrong, fmt.Errorf("%d bytes for the topdir in memory, want 0 or more", in.TmpfsBytes))
	}
	return errors.Join(wrong...)
}

var sha256Form = regexp.MustCompile(`^[0-9a-f]{64}$`)

// checkSRPM judges the SRPM against the recipe's source.
func (in Input) checkSRPM(from recipe.Source) error {
	s := in.SRPM
	var wrong []error
	if s.File != "" && (!fs.ValidPath(s.File) || filepath.Base(s.File) != s.File || s.File == ".") {
		wrong = append(wrong, fmt.Errorf("SRPM %q: want a file's name without a folder", s.File))
	}
	switch known := s.File != "" || s.SHA256 != ""; {
	case known && !sha256Form.MatchString(s.SHA256):
		wrong = append(wrong, fmt.Errorf("sha256 of the SRPM is %q, want 64 lower-case hexadecimal digits", s.SHA256))
	case known && in.Insecure == "" && from.SHA256 != "" && s.SHA256 != from.SHA256:
		wrong = append(wrong, fmt.Errorf("sha256 of the SRPM is %s, want the recipe's %s", s.SHA256, from.SHA256))
	}
	if s.Epoch < 0 {
		wrong = append(wrong, fmt.Errorf("build time of the SRPM is %d, want 0 or more", s.Epoch))
	}
	return errors.Join(wrong...)
}
