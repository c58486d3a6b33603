package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"namibuild"
	"namibuild/builder/boot"
	"namibuild/builder/engine"
	"namibuild/builder/prove"
	"namibuild/builder/set"
)

// bootFlags are the settings of a boot.
type bootFlags struct {
	images  buildFlags
	recipe  string
	qemu    string
	accel   string
	memory  bytesFlag
	limit   time.Duration
	keep    string
	words   string
	offline bool
}

func (a *app) bootCommand() *cobra.Command {
	var f bootFlags
	c := &cobra.Command{
		Use:   "boot SET",
		Short: "Boot a built kernel in QEMU and prove that the recipe's changes are in it",
		Long: `boot takes the kernel out of a set (the output directory of build, its RPMS
folder, or a kernel package file), boots it in QEMU, and checks what the recipe
declares under proof: its release and /proc/version, how long a real socket stays in
TIME_WAIT by the guest's clock, the default of tcp_fin_timeout, modules and their
signatures; and in any case that it neither panics nor warns.

QEMU is this host's, where there is one, and otherwise runs in a container of its
own. Under TCG the guest's idle time is skipped: 60 seconds take about two.

An output directory gets proof.json and proof.log (the console), whatever the
verdict; what a recipe says now counts with --recipe, otherwise what it said when
the set was built. A kernel that does not answer within the default limit hangs; a
shorter --limit that runs out is no verdict, and an earlier proof stays as it is. The
exit code is 0 when every check passed, 30 when one failed, 31 when there is no kernel
that could be booted here, or no verdict.`,
		Example: `  namibuild boot out/demo
  namibuild boot out/demo/RPMS --recipe demo
  namibuild boot ./kernel-6.1.192-1.x86_64.rpm --keep ./guest`,
		Args: onePath("a set (an output directory of build, or a package file)"),
		RunE: func(c *cobra.Command, args []string) error { return a.boot(c.Context(), args[0], f) },
	}
	c.Flags().StringVar(&f.recipe, "recipe", "", "recipe whose proof: is to be met (default what the set's build.json holds)")
	f.machine(c)
	c.Flags().StringVar(&f.keep, "keep", "", "folder that gets the guest's files, vmlinuz and initramfs")
	f.images.images(c)
	f.offlineFlag(c)
	return c
}

func (f *bootFlags) offlineFlag(c *cobra.Command) {
	c.Flags().BoolVar(&f.offline, "offline", envOr("NAMIBUILD_OFFLINE", "") != "", "build no image: take those that the engine holds ($NAMIBUILD_OFFLINE)")
}

// machine adds the flags of what runs the guest.
func (f *bootFlags) machine(c *cobra.Command) {
	c.Flags().StringVar(&f.qemu, "qemu", prove.QEMUAuto, "where QEMU runs: auto, host, container")
	c.Flags().StringVar(&f.accel, "accel", prove.AccelAuto, "what runs the guest: auto, tcg, kvm (auto: KVM where it works and nothing is waited for)")
	c.Flags().StringVar(&f.words, "append", "", "words behind the kernel's command line, as \"nosmp nokaslr\"")
	c.Flags().Var(&f.memory, "guest-memory", "memory of the guest, as 512M (default 256M)")
	c.Flags().DurationVar(&f.limit, "limit", boot.DefaultLimit, "time limit of a boot, real time")
}

// options are those of a boot of a set.
func (f bootFlags) options(a *app, path string) (prove.BootOptions, error) {
	o := prove.BootOptions{
		MachineOptions: prove.MachineOptions{
			Images: namibuild.Files, QEMU: f.qemu, Accel: f.accel, Memory: int64(f.memory), Limit: f.limit,
			NoCache: f.images.noCache, Offline: f.offline,
		},
		Set: path, Append: strings.Fields(f.words), Keep: f.keep,
	}
	if !slices.Contains([]string{prove.QEMUAuto, prove.QEMUHost, prove.QEMUContainer}, f.qemu) {
		return o, usageError{fmt.Errorf("--qemu %s: auto, host or container was expected", f.qemu)}
	}
	if !slices.Contains([]string{prove.AccelAuto, string(boot.TCG), string(boot.KVM)}, f.accel) {
		return o, usageError{fmt.Errorf("--accel %s: auto, tcg or kvm was expected", f.accel)}
	}
	if strings.ContainsAny(f.words, "'\"") {
		return o, usageError{fmt.Errorf("--append %s: words without quotes were expected", f.words)}
	}
	if f.limit <= 0 {
		return o, usageError{fmt.Errorf("--limit %v: more than nothing was expected", f.limit)}
	}
	if f.memory > 0 && f.memory < 32<<20 {
		return o, usageError{fmt.Errorf("--guest-memory %d: 32M or more was expected", f.memory)}
	}
	if f.recipe != "" {
		r, err := loadRecipe(f.recipe)
		if err != nil {
			return o, err
		}
		o.Recipe = &r
	}
	var err error
	if o.Args, err = arguments(f.images.args); err != nil {
		return o, err
	}
	o.Store, err = a.openStore()
	return o, err
}

// connection opens an engine when one is needed, and closes it.
type connection struct {
	prefix string
	engine *engine.Engine
}

func (c *connection) open(ctx context.Context) (prove.Engine, error) {
	e, err := engine.Connect(ctx, engine.Options{Prefix: c.prefix})
	if err != nil {
		return nil, err
	}
	c.engine = e
	return prove.Over(e), nil
}

func (c *connection) close() {
	if c.engine != nil {
		c.engine.Close()
	}
}

func (a *app) boot(ctx context.Context, path string, f bootFlags) error {
	started := time.Now()
	o, err := f.options(a, path)
	if err != nil {
		return err
	}
	link := &connection{prefix: a.prefix}
	defer link.close()
	d := newDisplay(os.Stdout, a.json)
	o.Connect, o.Tell = link.open, a.tell(d)
	p, err := prove.Boot(ctx, o)
	d.Close()
	if err != nil {
		return a.cause(ctx, err)
	}
	if a.json {
		d.emit(struct {
			Event string `json:"event"`
			boot.Proof
		}{"result", p})
	} else {
		printProof(os.Stdout, d.style, p, path, f.keep, time.Since(started))
	}
	return verdict(p, path)
}

// unprovenError is the verdict on a kernel that failed.
type unprovenError struct {
	set    string
	failed []boot.Check
	checks int
}

func (e unprovenError) Error() string {
	var list []string
	for _, c := range e.failed {
		list = append(list, fmt.Sprintf("%s: want %s, got %s", c.Name, c.Want, c.Got))
	}
	return fmt.Sprintf("proving %s: %d of %d checks failed: %s", e.set, len(e.failed), e.checks, strings.Join(list, "; "))
}

// verdict is nil for a kernel that passed.
func verdict(p boot.Proof, set string) error {
	if p.Passed {
		return nil
	}
	e := unprovenError{set: set, checks: len(p.Checks)}
	for _, c := range p.Checks {
		if !c.Passed {
			e.failed = append(e.failed, c)
		}
	}
	return e
}

// printProof is the verdict as a table.
func printProof(w io.Writer, s style, p boot.Proof, path, keep string, took time.Duration) {
	fmt.Fprintf(w, "\n%s, booted in %s (%s)\n", p.Kernel.Release, short(took), p.Machine)
	width := 0
	for _, c := range p.Checks {
		width = max(width, len(c.Name))
	}
	for _, c := range p.Checks {
		mark, text := tick(s), c.Got
		if !c.Passed {
			mark, text = cross(s), c.Got+"; want "+c.Want
		}
		fmt.Fprintf(w, "  %s %-*s  %s\n", mark, width, c.Name, text)
	}
	where := keep
	if where == "" {
		where = "a folder with its vmlinuz and initramfs (--keep DIR)"
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		dir := set.DirOf(path)
		fmt.Fprintf(w, "proof: %s, the console: %s\n", filepath.Join(dir, set.ProofFile), filepath.Join(dir, set.ProofLogFile))
	}
	fmt.Fprintf(w, "repeat by hand, in %s:\n  %s\n", where, p.Command)
}
