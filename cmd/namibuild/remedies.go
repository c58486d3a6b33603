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
	"namibuild/builder/set"
	"namibuild/builder/source"
	"namibuild/builder/trust"
	"namibuild/builder/vary"
)

// explain finds the exit code of an error and what the user can do about it.
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

// remedy tells the exit code and the hint of one kind of error; ok: this is one.
type remedy func(error) (code int, hint string, ok bool)

// of is the remedy of every error of a type.
func of[E error](code int, hint string) remedy {
	return by(func(E) (int, string) { return code, hint })
}

// by is the remedy of a type whose errors are not all cured the same way.
func by[E error](explain func(E) (int, string)) remedy {
	return func(err error) (code int, hint string, ok bool) {
		var e E
		if ok = errors.As(err, &e); ok {
			code, hint = explain(e)
		}
		return code, hint, ok
	}
}

// is is the remedy of one error.
func is(target error, code int, hint string) remedy {
	return func(err error) (int, string, bool) { return code, hint, errors.Is(err, target) }
}

// helpHint sends to the help of the verb that was called.
const helpHint = "--help"

// remedies are all of them. The first that fits counts: an error of a type comes
// before those that it wraps.
var remedies = []remedy{
	of[interrupted](exitInterrupted, ""),
	by(differHint),
	of[leaksError](exitLeaks, ""),
	of[*builder.NoLockError](exitLock, "--lock names it; without one, --recipe names the recipe that the build.json there came from"),
	of[usageError](exitUsage, helpHint),
	of[recipeError](exitUsage, ""),
	of[*vary.DayError](exitUsage, "take a day after that one: --vary date=DAYS counts from today"),
	of[*builder.ModuleKeyError](exitUsage, "namibuild modkey new FILE makes a key (--x509: for EL7 and later); module-key: in the recipe names it"),
	by(func(e *builder.LockError) (int, string) { return exitLock, lockHint(e) }),
	by(func(e *pgp.KeyError) (int, string) { return exitKey, keyHint(e.Err) }),
	by(unprovenHint),
	of[*release.UnlockedError](exitLock, "namibuild lock RECIPE and a build make a locked set; --unlocked publishes it all the same, and the bundle says so"),
	of[*release.UnverifiedError](exitUnverified, ""),
	by(func(e *engine.UnreachableError) (int, string) { return exitEngine, engineHint(e) }),
	of[*engine.TooOldError](exitEngine, "Docker 20.10 or newer is needed"),
	by(rpmbuildHint),
	is(syscall.ENOSPC, exitDisk, "make room on the disk and run the same command again: what was fetched is kept"),
	of[*engine.BaseError](exitBase, "where no registry answers, ./scripts/quickstart makes the Debian base itself; a mirror of the registry is set in the engine's configuration"),
	of[*source.MismatchError](exitEdit, "compare the recipe with the source: namibuild fetch RECIPE prints where it lies"),
	by(func(e *builder.NotPackedError) (int, string) {
		return exitSource, "namibuild fetch " + e.Recipe + " packs it"
	}),
	of[*trust.UnknownKeyError](exitSource, "in a copy of the recipe's page, source: key: names that key's file beside it; with sha256: instead of signed-by: none is needed"),
	of[*builder.UntrustedError](exitSource, "--insecure-source takes it all the same, if it is a whole SRPM; plan and record then say so"),
	of[*fetch.OfflineError](exitSource, "namibuild fetch RECIPE, without --offline and $NAMIBUILD_OFFLINE, brings it into the store"),
	of[*engine.NoImageError](exitImage, "namibuild image RECIPE builds it, with a network"),
	of[*artifact.MissingError](exitOutput, "the recipe's rpmbuild: switches decide what is made; packages: lists what must be"),
	of[*builder.UnknownPackageError](exitOutput, "packages: in the recipe takes names that the spec makes; rpmbuild: switches decide which"),
	of[*artifact.ConfigError](exitOutput, "Kconfig leaves an option out when what it depends on is not set, and takes one of a choice: set those in config: too"),
	by(func(e *durable.Error) (int, string) { return exitOutput, outputHint(e) }),
	of[*oci.ReferenceError](exitUsage, ""),
	by(func(e *oci.RegistryError) (int, string) { return exitRegistry, registryHint(e) }),
	of[*release.SourceError](exitUsage, "namibuild repo --help"),
	of[*release.UnsignedError](exitUnverified, "namibuild sign signs packages; without --key the repository is one that hosts do not check"),
	of[*release.RepositoryError](exitOutput, ""),
	of[unprovenError](exitUnproven, "the console is in proof.log (of a package file: namibuild boot --keep DIR); namibuild boot --recipe RECIPE takes what the recipe says now"),
	of[*boot.NoKernelError](exitNoKernel, ""),
	of[*boot.ModuleError](exitNoKernel, ""),
	of[*boot.LimitError](exitNoKernel, "a longer --limit lets it come to a verdict; no proof was written, and one that lies there counts as before"),
	of[*boot.OptionsError](exitNoKernel, "set them in the kernel's configuration, or leave out of the recipe's proof: what needs them"),
	of[noStockError](exitUsage, "namibuild build RECIPE --stock makes it, or name one with --stock"),
	of[*set.PathError](exitUsage, "name the output directory of namibuild build, or a kernel package"),
	of[*set.StaleError](exitUsage, "namibuild build RECIPE makes the set anew"),
	is(set.ErrNoRecord, exitUsage, "name the output directory of namibuild build"),
	is(compare.ErrNoPackages, exitUsage, "name packages, or output directories of namibuild build"),
	is(boot.ErrNoQEMU, exitEngine, "install it (Debian: qemu-system-x86), or let it run in a container: --qemu container"),
}

func differHint(e differError) (int, string) {
	if e.verdict == compare.Explained {
		return exitExplained, ""
	}
	return exitUnexplained, ""
}

func unprovenHint(e *boot.UnprovenError) (int, string) {
	if e.Failed() {
		return exitUnproven, "proof.log in the set is what its console said"
	}
	return exitUnproven, "namibuild boot SET proves it; --unproven publishes it all the same, and the bundle says so"
}

func lockHint(e *builder.LockError) string {
	if len(e.Differences) == 0 {
		return "namibuild lock RECIPE writes one"
	}
	return "namibuild lock RECIPE locks the build as it is now; --no-lock builds without"
}

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
		return exitRpmbuild, "give the container more with --memory, or fewer --jobs; " + log
	case e.Failure.DiskFull:
		return exitDisk, "a kernel with debug information wants 15 to 20 GB where the engine keeps its volumes (or a larger --tmpfs); " + log
	case strings.Contains(e.Failure.First, "Failed build dependencies"):
		return exitRpmbuild, "the builder image lacks what the spec's BuildRequires name; " + log
	}
	return exitRpmbuild, log
}

func engineHint(err error) string {
	if errors.Is(err, fs.ErrPermission) || strings.Contains(err.Error(), "permission denied") {
		return "add your user to the group docker (and log in again), or run as root"
	}
	return "is Docker running? DOCKER_HOST names another engine; ./scripts/quickstart installs one on Debian and Fedora"
}

func registryHint(e *oci.RegistryError) string {
	var dial *net.OpError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(e, &certificate):
		return "$SSL_CERT_FILE names a file of certificates to believe, the registry's own too"
	case errors.As(e, &dial) && dial.Op == "dial":
		return "does the registry run, and is its name right? A proxy is taken from $HTTPS_PROXY and $HTTP_PROXY"
	case e.Status == http.StatusUnauthorized, e.Status == http.StatusForbidden:
		return "docker login " + e.Host + ", as a user who may do that"
	case e.Status == http.StatusNotFound:
		return ""
	case strings.Contains(e.Error(), "HTTP response to HTTPS client"):
		return "--plain-http talks HTTP to it, which protects neither password nor release"
	}
	return "run the same command again: what is there is not sent twice"
}

func outputHint(err error) string {
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return "choose a directory that you may write to with --output"
	}
	return ""
}
