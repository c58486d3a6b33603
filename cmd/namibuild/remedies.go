package main

import (
	"crypto/tls"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"syscall"

	"namibuild/builder"
	"namibuild/builder/artifact"
	"namibuild/builder/boot"
	"namibuild/builder/compare"
	"namibuild/builder/durable"
	"namibuild/builder/engine"
	"namibuild/builder/event"
	"namibuild/builder/fetch"
	"namibuild/builder/oci"
	"namibuild/builder/pgp"
	"namibuild/builder/release"
	"namibuild/builder/repository"
	"namibuild/builder/set"
	"namibuild/builder/source"
	"namibuild/builder/trust"
	"namibuild/builder/vary"
)

// explain returns the exit code of an error, and a hint if the user can do something about
// it.
func explain(err error) (code int, hint string) {
	for _, r := range remedies {
		if code, hint, ok := r(err); ok {
			return code, hint
		}
	}
	if step := (*event.StepError)(nil); errors.As(err, &step) {
		return stepCode(step.Step), ""
	}
	return exitOther, ""
}

// remedy gives the exit code and the hint of one kind of error. It reports whether err is of
// that kind.
type remedy func(error) (code int, hint string, ok bool)

// of makes the remedy for every error of a type.
func of[E error](code int, hint string) remedy {
	return by(func(E) (int, string) { return code, hint })
}

// by makes the remedy for a type whose errors have different hints or exit codes.
func by[E error](explain func(E) (int, string)) remedy {
	return func(err error) (code int, hint string, ok bool) {
		var e E
		if ok = errors.As(err, &e); ok {
			code, hint = explain(e)
		}
		return code, hint, ok
	}
}

// is makes the remedy for one error.
func is(target error, code int, hint string) remedy {
	return func(err error) (int, string, bool) { return code, hint, errors.Is(err, target) }
}

// helpHint stands for a hint that names the help of the verb.
const helpHint = "--help"

// remedies are all remedies. The first one that fits decides, so an error's type comes before
// the types that it wraps.
var remedies = []remedy{
	of[interrupted](exitInterrupted, ""),
	by(differHint),
	of[leaksError](exitLeaks, ""),
	of[*builder.NoLockError](exitLock, "name it with --lock; if there is none, name with --recipe the recipe of its build.json"),
	of[usageError](exitUsage, helpHint),
	of[recipeError](exitUsage, ""),
	of[*vary.DayError](exitUsage, "choose a later day: --vary date=DAYS counts from today"),
	of[*builder.ModuleKeyError](exitUsage, "namibuild modkey new FILE makes a key (--x509 for EL7 and later); name it in the recipe as module-key:"),
	by(func(e *builder.LockError) (int, string) { return exitLock, lockHint(e) }),
	by(func(e *pgp.KeyError) (int, string) { return exitKey, keyHint(e.Err) }),
	by(unprovenHint),
	of[*release.ContradictionError](exitOutput, "build the set again: its records were changed after the build"),
	of[*release.UnlockedError](exitLock, "namibuild lock RECIPE and another build make a locked set; --unlocked publishes it as it is, and the release says so"),
	by(unverifiedHint),
	by(func(e *engine.UnreachableError) (int, string) { return exitEngine, engineHint(e) }),
	of[*engine.TooOldError](exitEngine, "Docker 20.10 or newer is needed"),
	by(rpmbuildHint),
	is(syscall.ENOSPC, exitDisk, "free space on the disk and run the command again: what was fetched is kept"),
	of[*engine.BaseError](exitBase, "if no registry can be reached, namibuild image RECIPE --base root.tar makes the image from a base of your own, and ./scripts/quickstart does that for Debian; a mirror of the registry is set in the engine's configuration"),
	by(mismatchHint),
	by(func(e *builder.NotPackedError) (int, string) {
		return exitSource, "namibuild fetch " + e.Recipe + " packs it"
	}),
	of[*trust.UnknownKeyError](exitSource, "copy the recipe, put the key's file beside the copy and name it as source: key:, or use sha256: instead of signed-by:"),
	of[*builder.UntrustedError](exitSource, "compare the digest or key in the recipe with what the vendor publishes; --insecure-source accepts the file as it is, if it is a whole SRPM, and plan and record then say so"),
	of[*builder.NoSourceFileError](exitSource, "file: below source: is relative to the recipe's folder; put the SRPM there, or correct the path"),
	of[*fetch.OfflineError](exitSource, "namibuild fetch RECIPE, without --offline and $NAMIBUILD_OFFLINE, fetches it into the store"),
	of[*engine.NoImageError](exitImage, "namibuild image RECIPE builds it; it needs a network"),
	of[*artifact.MissingError](exitOutput, "rpmbuild: in the recipe decides which packages are made; packages: lists those that must be"),
	of[*builder.UnknownPackageError](exitOutput, "packages: in the recipe must name packages that the spec makes; rpmbuild: decides which it makes"),
	of[*artifact.ConfigError](exitOutput, "Kconfig drops an option if another one that it depends on is not set, or another one of its choice is: set those in config: too"),
	by(func(e *durable.Error) (int, string) { return exitOutput, outputHint(e) }),
	of[*oci.ReferenceError](exitUsage, ""),
	by(func(e *oci.RegistryError) (int, string) { return exitRegistry, registryHint(e) }),
	of[*release.NoKeyError](exitUsage, helpHint),
	of[*release.NotBuiltError](exitUsage, helpHint),
	of[*repository.SourceError](exitUsage, "namibuild repo --help"),
	of[*repository.UnsignedError](exitUnverified, "namibuild sign signs packages; without --key the repository is not signed"),
	of[*repository.Error](exitOutput, ""),
	of[unprovenError](exitUnproven, "the console is in proof.log (for a package file: namibuild boot --keep DIR); namibuild boot --recipe RECIPE checks what the recipe says now"),
	of[*boot.NoKernelError](exitNoKernel, ""),
	of[*boot.ModuleError](exitNoKernel, ""),
	of[*boot.LimitError](exitNoKernel, "use a longer --limit; no proof was written, and an earlier one stays valid"),
	of[*boot.OptionsError](exitNoKernel, "set them in the kernel's configuration, or remove what needs them from proof: in the recipe"),
	of[noStockError](exitUsage, "namibuild build RECIPE --stock makes it; name another one with --stock"),
	of[*set.IrregularError](exitOutput, "replace it by the file itself: links and special files in a set are not used"),
	of[*set.PathError](exitUsage, "name a release, the output directory of namibuild build, or packages"),
	of[*set.StaleError](exitUsage, "namibuild build RECIPE makes the set again"),
	is(set.ErrNoRecord, exitUsage, "name the output directory of namibuild build"),
	is(compare.ErrNoPackages, exitUsage, "name packages, or output directories of namibuild build"),
	is(boot.ErrNoQEMU, exitEngine, "install it (Debian: qemu-system-x86), or run it in a container with --qemu container"),
}

func mismatchHint(e *source.MismatchError) (int, string) {
	if e.UnknownFamily() {
		return exitEdit, "remove tag: from the recipe; another release can be set with define: below rpmbuild:, or with edits that have in: spec"
	}
	return exitEdit, "compare the recipe with the source: namibuild fetch RECIPE prints its path"
}

func differHint(e differError) (int, string) {
	if e.verdict == compare.Explained {
		return exitExplained, ""
	}
	return exitUnexplained, ""
}

func unprovenHint(e *boot.UnprovenError) (int, string) {
	if e.Failed() {
		return exitUnproven, "the console is in proof.log in the set"
	}
	return exitUnproven, "namibuild boot SET proves it; --unproven publishes it as it is, and the release says so"
}

func unverifiedHint(e *release.UnverifiedError) (int, string) {
	if e.NoRelease {
		return exitUnverified, "namibuild verify --packages-only checks a set or a folder of packages that is not a release"
	}
	return exitUnverified, ""
}

func lockHint(e *builder.LockError) string {
	if len(e.Differences) == 0 {
		return "namibuild lock RECIPE writes a lock"
	}
	return "namibuild lock RECIPE locks the build as it is now; --no-lock builds without a lock"
}

// stepCode returns the exit code of errors in a step that no remedy explains.
func stepCode(s event.Step) int {
	switch s {
	case event.Source:
		return exitSource
	case event.Prepare:
		return exitSource
	case event.Image:
		return exitImage
	case event.Witness, event.Kernel, event.Boot, event.Machine, event.Measure:
		return exitNoKernel
	case event.Compare:
		return exitOther
	case event.Collect, event.Push, event.Pull, event.Sign, event.Verify,
		event.Repository, event.SBOM, event.Provenance, event.Records, event.Digests, event.Gate:
		return exitOutput
	}
	return exitEngine
}

func rpmbuildHint(e *builder.RpmbuildError) (int, string) {
	log := "the whole log: " + e.Log
	switch {
	case e.OOMKilled:
		return exitRpmbuild, "use a larger --memory or fewer --jobs; " + log
	case e.Failure.DiskFull:
		return exitDisk, "a kernel with debug information needs 15 to 20 GB where the engine keeps its volumes (or a larger --tmpfs); " + log
	case strings.Contains(e.Failure.First, "Failed build dependencies"):
		return exitRpmbuild, "the builder image lacks packages that the spec's BuildRequires name; " + log
	}
	return exitRpmbuild, log
}

func engineHint(err error) string {
	if errors.Is(err, fs.ErrPermission) || strings.Contains(err.Error(), "permission denied") {
		return "add your user to the group docker and log in again, or run as root"
	}
	return "is Docker running? DOCKER_HOST names another engine; ./scripts/quickstart installs one on Debian and Fedora"
}

func registryHint(e *oci.RegistryError) string {
	var dial *net.OpError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(e, &certificate):
		return "$SSL_CERT_FILE names a file of trusted certificates; add the registry's to it"
	case errors.As(e, &dial) && dial.Op == "dial":
		return "does the registry run, and is its name right? $HTTPS_PROXY and $HTTP_PROXY name a proxy"
	case e.Status == http.StatusUnauthorized, e.Status == http.StatusForbidden:
		return "docker login " + e.Host + ", as a user with that right"
	case e.Status == http.StatusNotFound:
		return ""
	case strings.Contains(e.Error(), "HTTP response to HTTPS client"):
		return "--plain-http uses HTTP, which protects neither password nor release"
	}
	return "run the command again: what the registry has is not sent twice"
}

func outputHint(err error) string {
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return "choose a folder that you can write to"
	}
	if errors.Is(err, fs.ErrNotExist) {
		return "create the folder, or choose one that exists"
	}
	return ""
}
