package prove

import (
	"context"
	"path/filepath"

	"namibuild/builder/boot"
	"namibuild/builder/event"
	"namibuild/builder/recipe"
	"namibuild/builder/set"
)

// BenchOptions say what is measured.
type BenchOptions struct {
	MachineOptions
	// Set is the output directory of the patched kernel. Stock is the set to compare it
	// with, which has the same kernel without the changes.
	Set, Stock string
	Traffic    boot.Traffic
}

// Bench runs the same traffic on the stock kernel and on the patched one, and puts the
// report and its chart into RecordsDir of the patched one.
func Bench(ctx context.Context, o BenchOptions) (boot.Report, error) {
	b := &run{MachineOptions: o.MachineOptions}
	report := boot.Report{Traffic: o.Traffic}
	trials, place, err := b.trials(o)
	if err != nil {
		return report, &event.StepError{Step: event.Kernel, Err: err}
	}
	for i, record := range []*set.Record{trials[0].record, trials[1].record} {
		if trials[i].Program, err = b.program(ctx, record, "traffic"); err != nil {
			return report, &event.StepError{Step: event.Witness, Err: err}
		}
	}
	m, done, err := b.machine(ctx, recipe.Proof{TimeWait: 1})
	if err != nil {
		return report, &event.StepError{Step: event.Machine, Err: err}
	}
	defer done()
	report.Machine = m.String()
	for i, course := range []*boot.Course{&report.Stock, &report.Patched} {
		trials[i].Machine = m
		if *course, err = b.measure(ctx, trials[i].Trial); err != nil {
			return report, &event.StepError{Step: event.Measure, Err: err}
		}
	}
	dir, err := makeRecordsDir(place)
	if err != nil {
		return report, err
	}
	return report, report.Write(dir)
}

// trial is the trial of one kernel, with the record of its build.
type trial struct {
	boot.Trial
	record *set.Record
}

// trials returns the trials of the stock kernel and of the patched one. place is that of the
// patched kernel.
func (b *run) trials(o BenchOptions) (both [2]trial, place set.Place, err error) {
	for i, path := range []string{o.Stock, o.Set} {
		b.Tell.Say(event.Begin, event.Kernel, "%s", filepath.Base(path))
		s, err := set.Open(path)
		if err != nil {
			return both, place, err
		}
		kernel, err := boot.ReadKernel(paths(s), nil)
		if err != nil {
			return both, place, err
		}
		both[i] = trial{boot.Trial{Kernel: kernel, Traffic: o.Traffic, Memory: o.Memory, Limit: o.Limit}, b.record(s)}
		place = s.Place
		b.Tell.Say(event.End, event.Kernel, "%s, of %s", kernel.Release, kernel.Package)
	}
	switch {
	case place.Kind == set.Single:
		return both, place, &set.PathError{Path: o.Set, Reason: "it is a package file, but the chart goes into an output directory"}
	case both[0].Kernel.SHA256 == both[1].Kernel.SHA256:
		return both, place, &set.PathError{Path: o.Stock, Reason: "it has the same kernel as " + o.Set}
	}
	return both, place, nil
}

// measure runs one trial and reports its progress.
func (b *run) measure(ctx context.Context, t boot.Trial) (boot.Course, error) {
	b.Tell.Say(event.Begin, event.Measure, "%s", t.Kernel.Release)
	t.Tell = func(s boot.Sample) {
		b.Tell.Progress(event.Measure, s.Second, int64(t.Traffic.Seconds), event.Seconds)
	}
	c, err := boot.Measure(ctx, t)
	if err != nil {
		return c, err
	}
	b.Tell.Say(event.End, event.Measure, "%s: %d connects, %d failed; sustains %.1f a second", c.Release, c.Last().Connected+c.Last().Failed, c.Last().Failed, c.Sustained)
	return c, nil
}
