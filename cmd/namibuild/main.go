// Command namibuild turns a kernel SRPM and a page of YAML into patched kernel
// RPMs on any Docker host. This folder is what a person types and reads: a file
// a verb, the wording of progress in terminal.go, of errors in errors.go.
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

// app is what every verb shares: the settings of the command line.
type app struct {
	log       *logrus.Logger
	logLevel  string
	logFormat string
	store     string
	prefix    string
	json      bool
}

func main() {
	a := &app{log: logrus.New()}
	ctx, stop := interruptible(context.Background())
	verb, err := a.root().ExecuteContextC(ctx)
	stop()
	os.Exit(a.report(worded(err), verb.CommandPath()))
}

// interruptible gives a context that ends with the first Ctrl-C (or TERM, HUP);
// later ones say that cleaning up is on its way and change nothing.
func interruptible(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		for s := range signals {
			if ctx.Err() != nil {
				fmt.Fprintln(os.Stderr, "\nstill stopping: what runs is being removed")
				continue
			}
			fmt.Fprintln(os.Stderr, "\nstopping: what runs is being removed")
			cancel(interrupted{s})
		}
	}()
	return ctx, func() { signal.Stop(signals) }
}

// interrupted is why a run ended early.
type interrupted struct{ signal os.Signal }

func (i interrupted) Error() string { return "interrupted (" + i.signal.String() + ")" }

func (a *app) root() *cobra.Command {
	c := &cobra.Command{
		Use:   "namibuild",
		Short: "Turn a kernel source RPM and a page of YAML into kernel RPMs, on any Docker host",
		Long: `namibuild turns a kernel source RPM and a page of YAML into patched kernel RPMs:
it checks the source, makes the edits (each must match exactly as often as the
recipe says), streams the result into a container without network or privilege,
runs rpmbuild there, and takes out packages that it has checked. It boots what it
built and proves what the recipe promises, builds it again byte for byte, and makes
a signed release of it.`,
		Example: `  namibuild plan demo
  namibuild lock demo
  namibuild build demo
  namibuild boot out/demo
  namibuild release out/demo --key kernels.key`,
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			return a.openLog()
		},
	}
	f := c.PersistentFlags()
	f.StringVar(&a.logLevel, "log-level", "warning", "what the log on standard error tells: debug, info, warning, error")
	f.StringVar(&a.logFormat, "log-format", "text", "form of the log: text, json")
	f.StringVar(&a.store, "store", envOr("NAMIBUILD_STORE", defaultStore()), "folder of checked inputs ($NAMIBUILD_STORE)")
	f.StringVar(&a.prefix, "image-prefix", envOr("NAMIBUILD_IMAGE_PREFIX", "namibuild"), "first part of builder image names ($NAMIBUILD_IMAGE_PREFIX)")
	f.BoolVar(&a.json, "json", false, "print events and results as one JSON object a line")
	c.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	cobra.EnableCommandSorting = false // ours is the order of the work
	for _, g := range a.verbs() {
		c.AddGroup(&cobra.Group{ID: g.title, Title: g.title + ":"})
		for _, verb := range g.verbs {
			verb.GroupID = g.title
			c.AddCommand(verb)
		}
	}
	c.AddCommand(exitCodesTopic())
	c.SetHelpCommandGroupID(housekeeping)
	c.SetCompletionCommandGroupID(housekeeping)
	return c
}

const housekeeping = "Housekeeping"

// group is what help lists under one title.
type group struct {
	title string
	verbs []*cobra.Command
}

// verbs are all verbs, in the order in which a kernel meets them.
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

func (a *app) openLog() error {
	level, err := logrus.ParseLevel(a.logLevel)
	if err != nil {
		return usageError{fmt.Errorf("--log-level %s: one of debug, info, warning, error was expected", a.logLevel)}
	}
	a.log.SetLevel(level)
	switch a.logFormat {
	case "text":
		a.log.SetFormatter(&logrus.TextFormatter{FullTimestamp: true})
	case "json":
		a.log.SetFormatter(&logrus.JSONFormatter{})
	default:
		return usageError{fmt.Errorf("--log-format %s: text or json was expected", a.logFormat)}
	}
	return nil
}

func (a *app) openStore() (*fetch.Store, error) {
	if a.store == "" {
		return nil, usageError{fmt.Errorf("no folder for the store: HOME is not set; name one with --store")}
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

func envOr(name, other string) string {
	if v := strings.TrimSpace(os.Getenv(name)); v != "" {
		return v
	}
	return other
}
