package builder

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"namibuild/builder/artifact"
	"namibuild/builder/event"
	"namibuild/builder/leak"
	"namibuild/builder/plan"
	"namibuild/builder/set"
	"namibuild/builder/vary"
)

// Check searches the packages of an output directory again for traces of their build.
// The record there tells when they were built; host is the name of this host. A
// directory without a record is set.ErrNoRecord.
func Check(ctx context.Context, dir, host string) ([]set.Leaks, error) {
	r, err := requireRecord(dir)
	if err != nil {
		return nil, fmt.Errorf("checking %s: %w", dir, err)
	}
	f := leak.Facts{Epoch: r.Plan.SRPM.Epoch, Hostname: r.Plan.Hostname, Host: host}
	if !r.Run.Started.IsZero() {
		v := vary.Options{Days: r.Run.Days}
		f.Days = leak.Days(v.Moment(r.Run.Started), v.Moment(r.Run.Finished))
	}
	return leaksOf(ctx, r.Set, f)
}

// leaks searches the packages that were built for traces of the build, and warns of
// each.
func (b *build) leaks(ctx context.Context, p plan.Plan, made artifact.Set, started time.Time) ([]set.Leaks, error) {
	f := leak.Facts{Epoch: p.SRPM.Epoch, Hostname: p.Hostname, Host: b.Host}
	if b.Now != nil {
		f.Days = leak.Days(b.Vary.Moment(started), b.Vary.Moment(b.now()))
	}
	all, err := leaksOf(ctx, made, f)
	if err != nil {
		return nil, &event.StepError{Step: event.Collect, Err: err}
	}
	text := "nothing of this host or moment in them"
	if len(all) > 0 {
		text = fmt.Sprintf("this host or moment shows in %d", len(all))
	}
	b.Tell.Say(event.End, event.Collect, "%s, digests right, %s", event.Count(len(made.RPMs), "package"), text)
	for _, l := range all {
		for _, found := range l.Leaks {
			b.Tell.Say(event.Warning, event.Collect, "%s: %s", l.Package, found)
		}
	}
	return all, nil
}

// leaksOf returns the packages of a set into which something leaked.
func leaksOf(ctx context.Context, made artifact.Set, f leak.Facts) ([]set.Leaks, error) {
	all := []set.Leaks{}
	for _, r := range made.RPMs {
		found, err := leak.FindFile(ctx, filepath.Join(made.Dir, r.File), f)
		if err != nil {
			return nil, fmt.Errorf("looking for what leaked into %s: %w", r.File, err)
		}
		if len(found) > 0 {
			all = append(all, set.Leaks{Package: r.File, Leaks: found})
		}
	}
	return all, nil
}
