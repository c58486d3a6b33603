/*
Package builder makes packages from a recipe.

A recipe (package recipe) names a kernel's source RPM, the changes to it, and the
packages that are wanted. Build carries it out in a container. These are its steps, by
the names that their events have, and the packages that do them:

  - source: brings the SRPM in and checks its digest and signature (fetch, trust)
  - prepare: makes the topdir, which is the source with the changes (topdir, source)
  - image: builds the builder image, if the engine does not have it (image, engine)
  - container, upload, rpmbuild: runs rpmbuild in a container without a network (engine,
    vary, buildlog)
  - collect: takes the packages out and checks them (artifact, leak, modkey)

Between prepare and image, Build makes the plan: a value that has everything that decides
what the packages are (plan). At the end, the output directory has the packages, the
record of the build, and the other files of a set (set).

# Functions

Some functions do a part of what Build does:

	Input      source
	Inputs     source, for several recipes at the same time
	Prepare    source and prepare; writes the topdir to a file
	Plan       source, the preview of prepare, and the plan
	Lock       what Plan does, and image; returns all of it as a plan.Lock
	Image      image
	SourceRPM  all steps, for the patched SRPM alone

Build with Options.Lock makes exactly what the lock pins. Rebuild builds a published set
again by its lock and compares the packages byte for byte; FindLock and LockOf return
that lock. Compare compares what two builds made, and Check searches packages for traces
of the host and the day of their build.

# Options

Input, Prepare and Image take SourceOptions; Plan and Lock take PlanOptions, which
contain them; Build, SourceRPM and Rebuild take Options, which contain both. Recipe,
Images and Store are always required, Output where packages are made.

A nil Engine means that no container may be started. Build, SourceRPM, Rebuild and Image
then return ErrNoEngine, before they fetch or write anything. The other functions do what
needs no container. A nil Tell drops the events, in every function.

The caller opens the store and the engine, and closes the engine afterwards. The functions
remove the containers and the temporary files that they make, also after an error. They
stop when their context is done. Nothing in this package looks at the clock: Options.Now
is the clock for the record, and the plan's epoch is the clock of the build.

# Errors

An error of a step is an *event.StepError that says which step it was. In its chain are
the errors that a caller may want to branch on:

	*UntrustedError         the SRPM is not the one that the recipe names
	*trust.UnknownKeyError  the recipe names a key that does not exist
	*fetch.DigestError      a file has another digest
	*fetch.OfflineError     Offline is set, and something is not in the store
	*NoSourceFileError      the recipe's source: file: does not exist
	*NotPackedError         the source must be packed in a container first
	*source.MismatchError   the changes do not fit the source
	*LockError              the build is not the one that the lock pins
	*NoLockError            a published set has no lock, or several
	*ModuleKeyError         the module key cannot be used
	*modkey.LeakError       the module key is in what was built
	*vary.DayError          the requested day is before the source was made
	*UnknownPackageError    the spec does not make a package that the recipe wants
	*RpmbuildError          rpmbuild failed; it has the first error in the log
	*artifact.MissingError  a package that the recipe wants was not built
	*artifact.ConfigError   a kernel was built without an option of the recipe
	*durable.Error          the output directory cannot be used
*/
package builder
