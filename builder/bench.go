package builder

import (
	"context"
	"fmt"
	"path/filepath"

	"namibuild/builder/boot"
	"namibuild/builder/recipe"
)

// BenchOptions say what to measure. Set is the patched one, an output directory;
// Recipe, Keep and QEMU's other settings are those of a boot.
type BenchOptions struct {
	BootOptions
	// Stock is the set to compare with: the same kernel without the changes.
	Stock   string
	Traffic boot.Traffic
}

// Bench lets the same traffic run on the stock kernel and on the patched one,
// and puts the report and its chart into the patched one's output directory.
func Bench(ctx context.Context, o BenchOptions) (boot.Report, error) {
	b := &booting{BootOptions: o.BootOptions}
	report := boot.Report{Traffic: o.Traffic}
	trials, dir, err := b.trials(o)
	if err != nil {
		return report, &StepError{StepKernel, err}
	}
	for i, record := range []*Result{trials[0].record, trials[1].record} {
		if trials[i].Program, err = b.program(ctx, record, "traffic"); err != nil {
			return report, &StepError{StepWitness, err}
		}
	}
	m, done, err := b.machine(ctx, recipe.Proof{TimeWait: 1})
	if err != nil {
		return report, &StepError{StepMachine, err}
	}
	defer done()
	report.Machine = m.String()
	for i, course := range []*boot.Course{&report.Stock, &report.Patched} {
		trials[i].Machine = m
		if *course, err = b.measure(ctx, trials[i].Trial); err != nil {
			return report, &StepError{StepMeasure, err}
		}
	}
	if err := report.Write(dir); err != nil {
		return report, &OutputError{dir, err}
	}
	return report, nil
}

// trial is one kernel with what its build noted.
type trial struct {
	boot.Trial
	record *Result
}

// trials are the stock kernel and the patched one; dir is the output directory
// of the latter.
func (b *booting) trials(o BenchOptions) (both [2]trial, dir string, err error) {
	for i, path := range []string{o.Stock, o.Set} {
		b.tell(Begin, StepKernel, "%s", filepath.Base(path))
		set, err := openSet(path)
		if err != nil {
			return both, "", err
		}
		kernel, err := boot.ReadKernel(set.Files, nil)
		if err != nil {
			return both, "", err
		}
		both[i] = trial{boot.Trial{Kernel: kernel, Traffic: o.Traffic, Memory: o.Memory, Limit: o.Limit}, set.Record}
		dir = set.Dir
		b.tell(End, StepKernel, "%s, of %s", kernel.Release, kernel.Package)
	}
	switch {
	case dir == "":
		return both, "", &NoSetError{o.Set, "a package file alone; an output directory was expected, for the chart"}
	case both[0].Kernel.SHA256 == both[1].Kernel.SHA256:
		return both, "", &NoSetError{o.Stock, fmt.Sprintf("its kernel is that of %s", o.Set)}
	}
	return both, dir, nil
}

// measure runs one trial and tells how far it is.
func (b *booting) measure(ctx context.Context, t boot.Trial) (boot.Course, error) {
	b.tell(Begin, StepMeasure, "%s", t.Kernel.Release)
	t.Tell = func(s boot.Sample) {
		b.Tell(Event{Kind: Progress, Step: StepMeasure, Done: s.Second, Total: int64(t.Traffic.Seconds), Unit: Seconds})
	}
	c, err := boot.Measure(ctx, t)
	if err != nil {
		return c, err
	}
	b.tell(End, StepMeasure, "%s: %d connects, %d failed; sustains %.1f a second", c.Release, c.Last().Connected+c.Last().Failed, c.Last().Failed, c.Sustained)
	return c, nil
}
