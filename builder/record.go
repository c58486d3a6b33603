package builder

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"time"

	"namibuild/builder/buildroot"
	"namibuild/builder/fetch"
	"namibuild/builder/source"
)

// The files of a set that tell what it was made of and how.
const (
	BuildRoot = "buildroot.json" // the packages of the builder image
	Changes   = "changes.diff"   // what the recipe changed in the source
)

// Attached is a file of a set beside its packages, as it was when the set was
// made.
type Attached struct {
	File   string `json:"file"`
	Size   int64  `json:"size"` // bytes
	SHA256 string `json:"sha256"`
}

// Run is what is true of one run alone: two that make equal packages differ in
// it.
type Run struct {
	// Namibuild is the version of the program.
	Namibuild string `json:"namibuild,omitempty"`
	// Started and Finished are real times, in whole seconds.
	Started  time.Time `json:"started,omitzero"`
	Finished time.Time `json:"finished,omitzero"`
	// Days later it was in the build (Vary.Days).
	Days int `json:"days,omitempty"`
}

// now is the real time by the clock that the command handed in.
func (b *build) now() time.Time {
	if b.Now == nil {
		return time.Time{}
	}
	return b.Now().UTC().Truncate(time.Second)
}

// attach writes a file of the set that is being made; of nothing it makes none.
func (o *output) attach(name, content string) (Attached, error) {
	if content == "" {
		return Attached{}, nil
	}
	if err := os.WriteFile(o.part(name), []byte(content), 0o666); err != nil {
		return Attached{}, &OutputError{o.dir, err}
	}
	return Attached{name, int64(len(content)), fmt.Sprintf("%x", sha256.Sum256([]byte(content)))}, nil
}

// origin records the SRPM and what the recipe changed in it.
func (b *build) origin(in fetch.File, p source.Preview, out *output) (source.Contents, Attached, error) {
	contents, err := source.Describe(in.Path, b.local().Source.Tarball)
	if err != nil {
		return contents, Attached{}, &StepError{StepPrepare, err}
	}
	diff, err := out.attach(Changes, p.Diff())
	return contents, diff, err
}

// buildRoot records the packages of the builder image, as the image lists them.
func (b *build) buildRoot(ctx context.Context, box Container, out *output) (Attached, error) {
	list, err := box.Read(ctx, buildroot.Path, buildroot.MaxSize)
	if err != nil {
		return Attached{}, &StepError{StepStart, err}
	}
	root, err := buildroot.Parse(list)
	if err != nil {
		return Attached{}, &StepError{StepStart, err}
	}
	b.tell(Note, StepStart, "build root: %s of %s %s", count(len(root.Packages), "package"), root.Distribution, root.Release)
	return out.attach(BuildRoot, string(root.JSON()))
}
