package builder

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"namibuild/builder/artifact"
	"namibuild/builder/event"
	"namibuild/builder/leak"
	"namibuild/builder/plan"
	"namibuild/builder/set"
)

// mostDays bounds the days of a build whose dates are looked for.
const mostDays = 14

// days are all days from one moment to another.
func days(from, to time.Time) []time.Time {
	all := []time.Time{from}
	for t := from.AddDate(0, 0, 1); !t.After(to) && len(all) < mostDays; t = t.AddDate(0, 0, 1) {
		all = append(all, t)
	}
	return append(all, to) // past midnight, within a day
}

// leaks looks for the build's moment and place in the packages of its set and
// warns of what it finds.
func (b *build) leaks(ctx context.Context, p plan.Plan, made artifact.Set, started time.Time) ([]set.Leaks, error) {
	f := leak.Facts{Epoch: p.SRPM.Epoch, Hostname: p.Hostname, Host: b.Host}
	if b.Now != nil {
		f.Days = days(b.Vary.moment(started), b.Vary.moment(b.now()))
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

// leaksOf are the packages of a set into which something leaked.
func leaksOf(ctx context.Context, made artifact.Set, f leak.Facts) ([]set.Leaks, error) {
	all := []set.Leaks{}
	for _, r := range made.RPMs {
		found, err := leaksIn(ctx, filepath.Join(made.Dir, r.File), f)
		if err != nil {
			return nil, fmt.Errorf("looking for what leaked into %s: %w", r.File, err)
		}
		if len(found) > 0 {
			all = append(all, set.Leaks{Package: r.File, Leaks: found})
		}
	}
	return all, nil
}

func leaksIn(ctx context.Context, path string, f leak.Facts) ([]leak.Leak, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return leak.Find(bufio.NewReaderSize(&stoppable{ctx, file}, 1<<20), f)
}

// stoppable ends a read when its context does.
type stoppable struct {
	ctx context.Context
	r   io.Reader
}

func (s *stoppable) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.r.Read(p)
}

// Check looks once more for what leaked into the packages of an output
// directory: by the record beside them, which tells when they were built, and by
// the name of this host.
func Check(ctx context.Context, dir, host string) ([]set.Leaks, error) {
	r, err := recordOf(dir)
	if err == nil && r == nil {
		err = set.ErrNoRecord
	}
	if err != nil {
		return nil, fmt.Errorf("checking %s: %w", dir, err)
	}
	f := leak.Facts{Epoch: r.Plan.SRPM.Epoch, Hostname: r.Plan.Hostname, Host: host}
	if !r.Run.Started.IsZero() {
		v := Vary{Days: r.Run.Days}
		f.Days = days(v.moment(r.Run.Started), v.moment(r.Run.Finished))
	}
	return leaksOf(ctx, r.Set, f)
}
