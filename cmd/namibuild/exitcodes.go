package main

import "github.com/spf13/cobra"

// The exit codes. The text exitCodes documents them.
const (
	exitOK          = 0
	exitOther       = 1
	exitUsage       = 2
	exitEngine      = 3
	exitImage       = 4
	exitSource      = 5
	exitEdit        = 6
	exitRpmbuild    = 7
	exitDisk        = 8
	exitOutput      = 9
	exitBase        = 10
	exitLock        = 11
	exitExplained   = 20
	exitUnexplained = 21
	exitLeaks       = 22
	exitUnproven    = 30
	exitNoKernel    = 31
	exitKey         = 40
	exitUnverified  = 41
	exitRegistry    = 42
	exitInterrupted = 130
)

const exitCodes = `Exit codes of namibuild:

    0  success
    1  any other error
    2  a mistake in the command line (also a path that does not exist) or the recipe
    3  no container engine answers, or it is too old, or the connection broke
    4  the builder image could not be built (with --offline: does not exist)
    5  the source: its download, digest, signature or format
    6  an edit, or a place that tag: must change, does not match the source
    7  rpmbuild failed; its first error and its log are named
    8  a disk is full, the container's or this host's
    9  the output: its directory cannot be written, a package that the recipe wants
       was not made, an option of config: did not take effect, or a folder cannot
       become a repository
   10  no registry has the base image of the builder image
   11  the build differs from its lock, or a release has no lock
   20  compare, rebuild: there are differences, and all have a known reason
   21  compare, rebuild: there is a difference without a known reason
   22  check: a package shows the time or the host of its build
   30  boot: the kernel failed its proof
   31  boot, bench: no kernel can be booted here, its configuration lacks what is
       needed, it did not survive the traffic, or a short --limit ended it without
       a verdict
   40  the signing key: missing, locked, expired, unreachable, or not for packages
   41  verify found a fault
   42  push, pull: the registry refuses, cannot be reached, or the connection broke
  130  interrupted; containers and volumes are removed

An error is one line, and a hint follows if there is something to do about it. With
--json it is a JSON object with the fields error, hint, exit, step, log and failure.
`

// exitCodesTopic is a help topic and not a verb: "namibuild help exit-codes" prints it.
func exitCodesTopic() *cobra.Command {
	return &cobra.Command{Use: "exit-codes", Short: "What the exit codes mean", Long: exitCodes}
}
