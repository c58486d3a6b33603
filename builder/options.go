package builder

import (
	"io/fs"
	"time"

	"namibuild/builder/event"
	"namibuild/builder/fetch"
	"namibuild/builder/plan"
	"namibuild/builder/recipe"
	"namibuild/builder/vary"
)

// SourceOptions say what a recipe's source and builder image are made from. Input,
// Prepare and Image take them.
type SourceOptions struct {
	// Recipe says what is built. A recipe from package recipe is valid.
	Recipe recipe.Recipe
	// Images holds the image definitions: Dockerfile.* and images/. It is required.
	Images fs.FS
	// Store holds what was fetched, and what is kept for the next run. It is required.
	Store *fetch.Store
	// Engine runs containers. With a nil Engine, the functions that need a container
	// in any case return ErrNoEngine before they do anything: Build, SourceRPM,
	// Rebuild and Image. The others start no container: a source that is yet to be
	// packed in one is a *NotPackedError, and Lock pins no image layers.
	Engine Engine
	// Args are build arguments for the images, such as mirrors.
	Args map[string]string
	// NoCache runs every step of an image build anew, and ignores what an earlier
	// run has kept of a source.
	NoCache bool
	// Offline forbids the network. The source must be in the store or in a file, and
	// the engine must have the image.
	Offline bool
	// InsecureSource takes an SRPM although the recipe's digest or key does not match,
	// if the SRPM's own digests are right. The plan then says so.
	InsecureSource bool
	// Version is the version of the program. It is recorded with the packages.
	Version string
	// Program identifies the code of the program exactly. The digest of its executable
	// does; a version does not, because edited sources share one. A run uses what an
	// earlier run has made or found of a source if both have the same Program. If it
	// is empty, nothing of the kind is used or kept.
	Program string
	// Tell receives the events. With a nil Tell they are dropped.
	Tell event.Sink
}

// PlanOptions say what a plan is made from. Plan and Lock take them.
type PlanOptions struct {
	SourceOptions
	// Jobs is make's -j.
	Jobs int
	// Memory is the container's limit in bytes; 0 means none.
	Memory int64
	// Tmpfs, if it is not 0, puts the topdir into memory, with this many bytes.
	Tmpfs int64
	// Unpinned are the names of pins that the build goes without (plan.Pins).
	Unpinned []string
}

// Options say what a build is made from and where it goes. Build, SourceRPM and
// Rebuild take them.
type Options struct {
	PlanOptions
	// Output is the directory that receives the packages, the log and the records. It
	// is made if it does not exist.
	Output string
	// SRPM makes the patched SRPM too.
	SRPM bool
	// Vary are conditions that must not matter to the packages.
	Vary vary.Options
	// Now, if it is not nil, is the real clock. The record has from it when the build
	// began and ended, and the packages are searched for those days. Nothing else
	// depends on it.
	Now func() time.Time
	// Lock, if it is not nil, is what the build must be equal to; otherwise the error
	// is a *LockError. Release requires a Lock.
	Lock    *plan.Lock
	Release bool
	// SRPMFile is a file of this host that is the locked SRPM. It replaces the place
	// that the recipe names. It is ignored without a Lock.
	SRPMFile string
	// Host is the name of this host, which must not be in the packages.
	Host string
}
