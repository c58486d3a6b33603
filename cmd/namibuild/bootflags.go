package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"namibuild"
	"namibuild/builder/boot"
	"namibuild/builder/prove"
)

// bootFlags are the flags of verbs that boot a kernel.
type bootFlags struct {
	build  buildFlags // for the images
	recipe string
	qemu   string
	accel  string
	memory bytesFlag
	limit  time.Duration
	keep   string
	words  string
}

// addMachine adds the flags about the machine that runs the guest.
func (f *bootFlags) addMachine(c *cobra.Command) {
	c.Flags().StringVar(&f.qemu, "qemu", prove.QEMUAuto, "run QEMU `WHERE`: auto, host, container")
	c.Flags().StringVar(&f.accel, "accel", prove.AccelAuto, "run the guest with `WHAT`: auto, tcg, kvm")
	c.Flags().StringVar(&f.words, "append", "", "add `WORDS` to the kernel's command line, such as \"nosmp nokaslr\"")
	c.Flags().Var(&f.memory, "guest-memory", "memory of the guest, such as 512M (default 256M)")
	c.Flags().DurationVar(&f.limit, "limit", boot.DefaultLimit, "end a boot after `TIME`, by the real clock")
}

// machineHelp is the part of the help texts about the machine.
const machineHelp = `QEMU is this host's, if there is one, and otherwise runs in a container of its own.
--accel auto chooses KVM if KVM works and the proof does not have to wait, as it does for
TIME_WAIT. Otherwise it chooses TCG, which skips the time in which the guest is idle: 60
such seconds take about two.`

// options makes the options of a boot. The link is its connection to the engine, which
// the caller closes.
func (f bootFlags) options(a *app, link *connection) (o prove.MachineOptions, err error) {
	if err := f.check(); err != nil {
		return o, err
	}
	o = prove.MachineOptions{
		Images: namibuild.Files, QEMU: f.qemu, Accel: f.accel, Memory: int64(f.memory), Limit: f.limit,
		NoCache: f.build.noCache, Offline: f.build.offline, Connect: link.forGuest,
	}
	if f.recipe != "" {
		r, err := loadRecipe(f.recipe)
		if err != nil {
			return o, err
		}
		o.Recipe = &r
	}
	if o.Args, err = arguments(f.build.args); err != nil {
		return o, err
	}
	o.Store, err = a.openStore()
	return o, err
}

// check reports a flag with a value that it must not have.
func (f bootFlags) check() error {
	var err error
	switch {
	case !slices.Contains([]string{prove.QEMUAuto, prove.QEMUHost, prove.QEMUContainer}, f.qemu):
		err = fmt.Errorf("--qemu %s: must be auto, host or container", f.qemu)
	case !slices.Contains([]string{prove.AccelAuto, string(boot.TCG), string(boot.KVM)}, f.accel):
		err = fmt.Errorf("--accel %s: must be auto, tcg or kvm", f.accel)
	case strings.ContainsAny(f.words, "'\""):
		err = errors.New("--append " + f.words + ": must be words without quotes")
	case f.limit <= 0:
		err = fmt.Errorf("--limit %v: must be more than 0", f.limit)
	case f.memory > 0 && f.memory < 32<<20:
		err = fmt.Errorf("--guest-memory %d: must be 32M or more", f.memory)
	}
	if err != nil {
		return usageError{err}
	}
	return nil
}
