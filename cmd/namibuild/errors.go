package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"

	"namibuild/builder"
	"namibuild/builder/artifact"
	"namibuild/builder/artifact/compare"
	"namibuild/builder/boot"
	"namibuild/builder/engine"
	"namibuild/builder/fetch"
	"namibuild/builder/oci"
	"namibuild/builder/recipe"
	"namibuild/builder/sign"
	"namibuild/builder/source"
)

// usageError is a mistake on the command line.
type usageError struct{ error }

func (u usageError) Unwrap() error { return u.error }

// recipeError is a recipe that cannot be read or has faults.
type recipeError struct{ error }

func (r recipeError) Unwrap() error { return r.error }

// cause replaces what an interrupted run died of by the interruption.
func (a *app) cause(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil {
		return err
	}
	return context.Cause(ctx)
}

// report prints what went wrong, one line and, where there is a cure, a hint,
// and gives the exit code.
func (a *app) report(err error) int {
	if err == nil {
		return exitOK
	}
	code, hint := explain(err)
	if reported(err) {
		return code
	}
	if a.json {
		a.reportJSON(err, code, hint)
		return code
	}
	var failed *builder.RpmbuildError
	if errors.As(err, &failed) && len(failed.Failure.Last) > 0 {
		fmt.Fprintf(os.Stderr, "\nthe end of the log:\n")
		for _, l := range failed.Failure.Last {
			fmt.Fprintf(os.Stderr, "  | %s\n", l)
		}
	}
	fmt.Fprintf(os.Stderr, "namibuild: %s\n", sentence(err))
	if hint != "" {
		fmt.Fprintf(os.Stderr, "hint: %s\n", hint)
	}
	return code
}

// reported: what a verb printed has said it all, the exit code says it once more.
func reported(err error) bool {
	var differ differError
	var leaks leaksError
	return errors.As(err, &differ) || errors.As(err, &leaks)
}

// sentence is an error as one line; the faults of a recipe and the differences
// from a lock get a line each.
func sentence(err error) string {
	if lock := (*builder.LockError)(nil); errors.As(err, &lock) {
		return strings.Join(append([]string{lock.Error()}, lock.Differences...), "\n  ")
	}
	var faults recipe.Faults
	if !errors.As(err, &faults) {
		return err.Error()
	}
	lines := []string{fmt.Sprintf("the recipe has %d faults", len(faults))}
	if len(faults) == 1 {
		lines[0] = "the recipe has a fault"
	}
	for _, f := range faults {
		lines = append(lines, "  "+f.String())
	}
	return strings.Join(lines, "\n")
}

func (a *app) reportJSON(err error, code int, hint string) {
	out := struct {
		Event   string           `json:"event"`
		Error   string           `json:"error"`
		Hint    string           `json:"hint,omitempty"`
		Exit    int              `json:"exit"`
		Step    builder.Step     `json:"step,omitempty"`
		Log     string           `json:"log,omitempty"`
		Failure *builder.Failure `json:"failure,omitempty"`
		Locked  []string         `json:"differences,omitempty"`
	}{Event: "error", Error: err.Error(), Hint: hint, Exit: code}
	if step := (*builder.StepError)(nil); errors.As(err, &step) {
		out.Step = step.Step
	}
	if failed := (*builder.RpmbuildError)(nil); errors.As(err, &failed) {
		out.Log, out.Failure = failed.Log, &failed.Failure
	}
	if lock := (*builder.LockError)(nil); errors.As(err, &lock) {
		out.Locked = lock.Differences
	}
	newDisplay(os.Stdout, true).emit(out)
}

// explain finds the exit code of an error and what the user can do about it.
func explain(err error) (code int, hint string) {
	var (
		stop        interrupted
		usage       usageError
		page        recipeError
		key         *sign.KeyError
		unverified  *unverifiedError
		gate        *boot.UnprovenError
		unlocked    *builder.UnlockedError
		unreachable *engine.UnreachableError
		old         *engine.TooOldError
		base        *engine.BaseError
		mismatch    *source.MismatchError
		unpacked    *builder.NotPackedError
		untrusted   *builder.UntrustedError
		offline     *fetch.OfflineError
		notHeld     *engine.NotHeldError
		failed      *builder.RpmbuildError
		output      *builder.OutputError
		missing     *artifact.MissingError
		unknown     *builder.UnknownPackageError
		config      *artifact.ConfigError
		unproven    unprovenError
		noKernel    *boot.NoKernelError
		noModule    *boot.ModuleError
		options     *boot.OptionsError
		noSet       *builder.NoSetError
		noStock     noStockError
		step        *builder.StepError
		folder      *builder.RepositoryError
		origin      *builder.SourceError
		unsigned    *builder.UnsignedError
		reference   *oci.ReferenceError
		registry    *oci.RegistryError
		differ      differError
		lock        *builder.LockError
		leaks       leaksError
		moduleKey   *builder.ModuleKeyError
		noLock      *builder.NoLockError
	)
	switch {
	case errors.As(err, &stop):
		return exitInterrupted, ""
	case errors.As(err, &differ) && differ.verdict == compare.Explained:
		return exitExplained, ""
	case errors.As(err, &differ):
		return exitUnexplained, ""
	case errors.As(err, &leaks):
		return exitLeaks, ""
	case errors.As(err, &noLock):
		return exitLock, "--lock names it; without one, --recipe names the recipe that the build.json there came from"
	case errors.As(err, &usage):
		return exitUsage, "namibuild --help"
	case errors.As(err, &page):
		return exitUsage, ""
	case strings.HasPrefix(err.Error(), "unknown command "), strings.HasPrefix(err.Error(), "if any flags in the group "): // cobra has no type for them
		return exitUsage, "namibuild --help"
	case errors.As(err, &moduleKey):
		return exitUsage, "namibuild modkey new FILE makes a key; module-key: in the recipe names it"
	case errors.As(err, &lock):
		return exitLock, lockHint(lock)
	case errors.As(err, &key):
		return exitKey, keyHint(key.Err)
	case errors.As(err, &gate):
		return exitUnproven, "namibuild boot SET proves it; --unproven publishes it all the same, and the bundle says so"
	case errors.As(err, &unlocked):
		return exitLock, "namibuild lock RECIPE and a build make a locked set; --unlocked publishes it all the same, and the bundle says so"
	case errors.As(err, &unverified):
		return exitUnverified, ""
	case errors.As(err, &unreachable):
		return exitEngine, engineHint(err)
	case errors.As(err, &old):
		return exitEngine, "Docker 20.10 or newer is needed"
	case errors.As(err, &failed):
		return rpmbuildHint(failed)
	case errors.Is(err, syscall.ENOSPC):
		return exitDisk, "make room on the disk and run the same command again: what was fetched is kept"
	case errors.As(err, &base):
		return exitBase, "where no registry answers, ./scripts/quickstart makes the Debian base itself; a mirror of the registry is set in the engine's configuration"
	case errors.As(err, &mismatch):
		return exitEdit, "compare the recipe with the source: namibuild fetch RECIPE prints where it lies"
	case errors.As(err, &unpacked):
		return exitSource, "namibuild fetch " + unpacked.Recipe + " packs it"
	case errors.As(err, &untrusted):
		return exitSource, "--insecure-source takes it all the same, if it is a whole SRPM; plan and record then say so"
	case errors.As(err, &offline):
		return exitSource, "namibuild fetch RECIPE, without --offline and $NAMIBUILD_OFFLINE, brings it into the store"
	case errors.As(err, &notHeld):
		return exitImage, "namibuild image RECIPE builds it, with a network"
	case errors.As(err, &missing):
		return exitOutput, "the recipe's rpmbuild: switches decide what is made; packages: lists what must be"
	case errors.As(err, &unknown):
		return exitOutput, "packages: in the recipe takes names that the spec makes; rpmbuild: switches decide which"
	case errors.As(err, &config):
		return exitOutput, "Kconfig leaves an option out when what it depends on is not set, and takes one of a choice: set those in config: too"
	case errors.As(err, &output):
		return exitOutput, outputHint(err)
	case errors.As(err, &reference):
		return exitUsage, ""
	case errors.As(err, &registry):
		return exitRegistry, registryHint(registry)
	case errors.As(err, &origin):
		return exitUsage, "namibuild repo --help"
	case errors.As(err, &unsigned):
		return exitUnverified, "namibuild sign signs packages; without --key the repository is one that hosts do not check"
	case errors.As(err, &folder):
		return exitOutput, ""
	case errors.As(err, &unproven):
		return exitUnproven, "the console is in proof.log (of a package file: namibuild boot --keep DIR); namibuild boot --recipe RECIPE takes what the recipe says now"
	case errors.As(err, &noKernel), errors.As(err, &noModule):
		return exitNoKernel, ""
	case errors.As(err, &options):
		return exitNoKernel, "set them in the kernel's configuration, or leave out of the recipe's proof: what needs them"
	case errors.As(err, &noStock):
		return exitUsage, "namibuild build RECIPE --stock makes it, or name one with --stock"
	case errors.As(err, &noSet):
		return exitUsage, "name the output directory of namibuild build, or a kernel package"
	case errors.Is(err, boot.ErrNoQEMU):
		return exitEngine, "install it (Debian: qemu-system-x86), or let it run in a container: --qemu container"
	case errors.As(err, &step):
		return stepCode(step.Step), ""
	}
	return exitOther, ""
}

func lockHint(e *builder.LockError) string {
	if len(e.Differences) == 0 {
		return "namibuild lock RECIPE writes one"
	}
	return "namibuild lock RECIPE locks the build as it is now; --no-lock builds without"
}

func stepCode(s builder.Step) int {
	switch s {
	case builder.StepSource:
		return exitSource
	case builder.StepPrepare:
		return exitSource
	case builder.StepImage:
		return exitImage
	case builder.StepWitness, builder.StepKernel, builder.StepBoot, builder.StepMachine, builder.StepMeasure:
		return exitNoKernel
	case builder.StepCompare:
		return exitOther
	case builder.StepCollect, builder.StepPush, builder.StepPull, builder.StepSign, builder.StepVerify,
		builder.StepRepository, builder.StepBill, builder.StepProvenance, builder.StepPapers, builder.StepSums, builder.StepGate:
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
