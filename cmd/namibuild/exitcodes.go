package main

import "github.com/spf13/cobra"

// The exit codes; exitCodes below is their documentation.
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

    0  done
    2  the command line (a path where nothing is, too) or the recipe has a fault
    3  no engine answers, or it is too old, or it broke off
    4  the builder image could not be built (offline: is not there)
    5  the source: fetch, digest, signature, format
    6  an edit, or a knob that tag: needs, does not match
    7  rpmbuild failed: its first error and its log are named
    8  a disk is full: the container's or this host's
    9  the output directory, or a package that the recipe wants was not made,
       or an option of its config: did not stick; a folder that makes no repository
   10  no registry gives the base image that the builder image starts from
   11  the build is not the one that its lock pins, or a release has no lock
   20  compare, rebuild: they differ, and every difference has a known reason
   21  compare, rebuild: they differ, and a difference has none
   22  check: a package shows the moment or the host of its build
   30  boot: the kernel failed its proof
   31  boot, bench: no kernel that can be booted here, or its configuration lacks
       what is needed, or it did not bear the traffic to its end; or a short --limit
       ended it without a verdict
   40  the signing key: not there, locked, expired, not reached, not fit for packages
   41  verify found something wrong
   42  push, pull: the registry refuses, broke off, or is not reached
  130  interrupted; containers and volumes are gone
    1  anything else

An error is one line, with a hint where there is a cure. With --json it is a
JSON object with the fields error, hint, exit, step, log and failure.
`

// exitCodesTopic is no command: "namibuild help exit-codes" prints it.
func exitCodesTopic() *cobra.Command {
	return &cobra.Command{Use: "exit-codes", Short: "What the exit codes mean", Long: exitCodes}
}
