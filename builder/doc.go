/*
Package builder makes packages from a recipe.

A recipe (package recipe) names a kernel's source RPM, the changes to it, and the
packages that are wanted. Build carries it out in a container, by these steps. Each of
them is an event.Step, and most of them are a package of their own:

  - source: bring in the SRPM and check its digest and signature (fetch, trust)
  - prepare: put the changes into it, as a topdir (topdir, source)
  - the plan: everything that decides what the packages are, as a value (plan)
  - image: build the builder image, if the engine does not have it (image, engine)
  - container, upload, rpmbuild: run rpmbuild in a container without a network (engine,
    buildlog)
  - collect: take the packages out and check them (artifact, leak, modkey)

The packages then lie in the output directory, with the record of the build and the
other files of a set (package set).

# Functions

Some functions do a part of Build:

	Input      source
	Prepare    source, prepare; writes the topdir
	Plan       source, prepare and the plan; writes nothing
	Lock       source, prepare, the plan and image, as a plan.Lock
	Image      image
	SourceRPM  everything, for the patched SRPM alone

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

The caller opens the store and the engine and closes the engine afterwards. The functions
remove the containers and the temporary files that they make, also after an error. They
stop when their context is done. Nothing in this package looks at the clock: Options.Now
is the clock for the record, and the plan's epoch is the clock of the build.

# Errors

An error of a step is an *event.StepError that says which step it was. In its chain are
the errors that a caller may want to branch on:

	*UntrustedError       the SRPM is not the one that the recipe names
	*trust.UnknownKeyError  the recipe names a key that does not exist
	*fetch.DigestError    a file has another digest
	*fetch.OfflineError   Offline is set, and something is not in the store
	*NotPackedError       the source must be packed in a container first
	*source.MismatchError the changes do not fit the source
	*LockError            the build is not the one that the lock pins
	*NoLockError          a published set has no lock, or several
	*ModuleKeyError       the module key cannot be used
	*modkey.LeakError     the module key is in what was built
	*vary.DayError        the requested day is before the source was made
	*UnknownPackageError  the spec does not make a package that the recipe wants
	*RpmbuildError        rpmbuild failed; it has the first error in the log
	*artifact.MissingError, *artifact.ConfigError
	                      what was built is not what the recipe wants
	*durable.Error        the output directory cannot be used
*/
package builder
