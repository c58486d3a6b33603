// Command namibuild turns a kernel SRPM and a recipe in YAML into signed, proven,
// repeatable kernel RPMs, on any Docker host.
//
// "namibuild --help" lists the verbs. This folder holds what a person types and reads.
// The packages below namibuild/builder do the work; they neither print nor exit.
//
// # Layout
//
//	main.go          the verbs, the flags that all of them share
//	VERB.go          one verb: its help, its flags, its text output
//	args.go          what a command line must be
//	buildflags.go    flags that several verbs share, and the builder.Options made of them
//	keyflags.go      how a signing key is reached
//	result.go        how a verb runs its work and prints the result, as text or JSON
//	terminal.go      the display of events; words.go: how figures are written
//	errors.go        how an error is printed; remedies.go: its exit code and its hint
//	exitcodes.go     the exit codes
//	testdata/script  the command as a user sees it, one script a verb (see TestScripts)
//
// # A new verb
//
// Write a file with a method of app that returns its cobra.Command, and add it to verbs
// in main.go. Its work is one call of a function of the library, which takes an event.Sink:
// perform calls it, shows the events and prints what it returns. A new type of error gets
// a line in remedies.go. A script in testdata/script holds what it prints.
//
// # Exit codes
//
// Every error has an exit code (exitcodes.go, "namibuild help exit-codes"). The first entry
// of remedies that fits the error decides; an error without an entry has the code of the
// step in which it happened (an event.StepError), otherwise 1. Codes do not change their
// meaning: scripts depend on them.
//
// # Events and JSON
//
// The library reports what it does as event.Event values. On a terminal the current step is
// redrawn in place; elsewhere each step prints a line when it begins and one when it ends.
// With --json every event is one JSON object on a line of standard output: "time" and
// "event" (begin, phase, progress, output, note, warning, end) and the fields of event.Event.
// The result follows as an object with "event":"result" and the fields of the result. A few
// verbs have another name for theirs: plan, key, recipe, removed, verification, version. An
// error is the last object, "event":"error", with error, exit and, where there is one, hint.
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/sirupsen/logrus"
	"github.com/spf13/cobra"

	"namibuild/builder/fetch"
)

// app holds what every verb shares: the command line and its global settings.
type app struct {
	args      []string // without the program's name
	log       *logrus.Logger
	logLevel  string
	logFormat string
	store     string
	prefix    string
	json      bool
}

func main() {
	a := &app{args: os.Args[1:], log: logrus.New()}
	ctx, stop := interruptible(context.Background())
	verb, err := a.root().ExecuteContextC(ctx)
	stop()
	os.Exit(a.report(err, verb.CommandPath()))
}

// interruptible returns a context that ends with the first Ctrl-C, TERM or HUP. Later
// signals only print that the program is stopping.
func interruptible(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		for range signals {
			if ctx.Err() != nil {
				fmt.Fprintln(os.Stderr, "\nstill cleaning up")
				continue
			}
			fmt.Fprintln(os.Stderr, "\nstopping; cleaning up")
			cancel(interrupted{})
		}
	}()
	return ctx, func() { signal.Stop(signals) }
}

// interrupted says that a signal ended a run early.
type interrupted struct{}

func (interrupted) Error() string { return "interrupted" }

func (a *app) root() *cobra.Command {
	c := parent(&cobra.Command{
		Use:   "namibuild",
		Short: "Turn a kernel source RPM and a recipe in YAML into kernel RPMs, on any Docker host",
		Long: `namibuild turns a kernel source RPM and a recipe in YAML into patched kernel RPMs.
It checks the source, makes the edits (each must match exactly as often as the recipe
says), runs rpmbuild in a container without network or privilege, and checks the
packages that come out. It boots the kernel that it built and tests what the recipe
promises, builds it again byte for byte, and makes a signed release of it.`,
		Example: `  namibuild plan demo
  namibuild lock demo
  namibuild build demo
  namibuild boot out/demo
  namibuild release out/demo --key kernels.key`,
		Version:       version().text(),
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRunE: func(c *cobra.Command, _ []string) error {
			if err := checkExclusive(c); err != nil {
				return err
			}
			return a.openLog()
		},
	})
	c.SetArgs(a.args)
	a.globalFlags(c)
	c.SetFlagErrorFunc(a.badFlags)
	c.SetVersionTemplate("{{.Version}}\n")
	c.SetUsageTemplate(wrapped(c.UsageTemplate()))
	cobra.EnableCommandSorting = false // the verbs come in the order of the work
	for _, g := range a.verbs() {
		c.AddGroup(&cobra.Group{ID: g.title, Title: g.title + ":"})
		for _, verb := range g.verbs {
			verb.GroupID = g.title
			c.AddCommand(verb)
		}
	}
	c.AddCommand(exitCodesTopic())
	c.SetHelpCommand(a.helpCommand())
	c.SetHelpCommandGroupID(housekeeping)
	c.SetCompletionCommandGroupID(housekeeping)
	return c
}

// globalFlags adds the flags that every verb has.
func (a *app) globalFlags(c *cobra.Command) {
	f := c.PersistentFlags()
	f.StringVar(&a.logLevel, "log-level", "warning", "log messages of this `LEVEL` and above to standard error: debug, info, warning, error")
	f.StringVar(&a.logFormat, "log-format", "text", "write the log in this `FORM`: text, json")
	f.StringVar(&a.store, "store", envOr("NAMIBUILD_STORE", defaultStore()), "keep checked inputs in `DIR` ($NAMIBUILD_STORE)")
	f.StringVar(&a.prefix, "image-prefix", envOr("NAMIBUILD_IMAGE_PREFIX", "namibuild"), "begin the names of builder images with `NAME` ($NAMIBUILD_IMAGE_PREFIX)")
	f.BoolVar(&a.json, "json", false, "print events and result as one JSON object per line")
}

// helpWidth is the most columns of the list of flags in a help text.
const helpWidth = 88

// wrapped changes cobra's template of help texts: it wraps the list of flags.
func wrapped(template string) string {
	return strings.ReplaceAll(template, "Flags.FlagUsages ", fmt.Sprintf("Flags.FlagUsagesWrapped %d ", helpWidth))
}

const housekeeping = "Housekeeping"

// group is a list of verbs that help prints under one title.
type group struct {
	title string
	verbs []*cobra.Command
}

// verbs returns all verbs, in the order in which they are used.
func (a *app) verbs() []group {
	return []group{
		{"Build", []*cobra.Command{
			a.recipesCommand(), a.planCommand(), a.fetchCommand(), a.buildCommand(), a.lockCommand(), a.modkeyCommand(),
		}},
		{"Prove", []*cobra.Command{
			a.bootCommand(), a.benchCommand(), a.checkCommand(), a.compareCommand(), a.rebuildCommand(),
		}},
		{"Publish", []*cobra.Command{
			a.keyCommand(), a.releaseCommand(), a.verifyCommand(), a.pushCommand(), a.pullCommand(),
		}},
		{"Single steps", []*cobra.Command{
			a.prepareCommand(), a.imageCommand(), a.signCommand(), a.repoCommand(), a.sbomCommand(), a.provenanceCommand(),
		}},
		{housekeeping, []*cobra.Command{a.cleanCommand(), a.versionCommand()}},
	}
}

// openLog sets the log up as the flags say.
func (a *app) openLog() error {
	level, err := logrus.ParseLevel(a.logLevel)
	if err != nil {
		return usageError{fmt.Errorf("--log-level %s: must be debug, info, warning or error", a.logLevel)}
	}
	a.log.SetLevel(level)
	switch a.logFormat {
	case "text":
		a.log.SetFormatter(&logrus.TextFormatter{FullTimestamp: true})
	case "json":
		a.log.SetFormatter(&logrus.JSONFormatter{})
	default:
		return usageError{fmt.Errorf("--log-format %s: must be text or json", a.logFormat)}
	}
	return nil
}

func (a *app) openStore() (*fetch.Store, error) {
	if a.store == "" {
		return nil, usageError{errors.New("no folder for the store: HOME is not set; name a folder with --store")}
	}
	s, err := fetch.Open(a.store)
	if errors.Is(err, fs.ErrPermission) {
		return nil, usageError{fmt.Errorf("%w; name another folder with --store", err)}
	}
	return s, err
}

func defaultStore() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "namibuild")
}

// envOr returns an environment variable, or other if it is empty or not set.
func envOr(name, other string) string {
	if v := strings.TrimSpace(os.Getenv(name)); v != "" {
		return v
	}
	return other
}
