package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/volume"
)

// What an unseen driver left is taken for forgotten: a container that ended
// an hour ago has been exported or never will be; what never ran may still be
// waiting for a slow upload.
const (
	endedLong = time.Hour
	idleLong  = 24 * time.Hour
)

// leftover is what one run still has in the engine.
type leftover struct {
	containers []container.Summary
	volumes    []*volume.Volume
}

// Sweep removes the containers and volumes of drivers that are dead, and says
// how many. Those of live drivers stay. Of a driver on another host nothing is
// known: only what ended long ago goes.
func (e *Engine) Sweep(ctx context.Context) (removed int, err error) {
	runs, err := e.leftovers(ctx, ownerLabel)
	if err != nil {
		return 0, fmt.Errorf("sweeping: %w", err)
	}
	now, err := e.now(ctx)
	if err != nil {
		return 0, fmt.Errorf("sweeping: %w", err)
	}
	var failed []error
	for run, left := range runs {
		if !e.forgotten(ctx, left, now) {
			continue
		}
		n, err := e.clear(ctx, run)
		removed += n
		if err != nil {
			failed = append(failed, fmt.Errorf("sweeping: %w", err))
		}
	}
	return removed, errors.Join(failed...)
}

// now is the engine's clock: the one its containers' times are of.
func (e *Engine) now(ctx context.Context) (time.Time, error) {
	info, err := e.client.Info(ctx)
	if err != nil {
		return time.Time{}, err
	}
	now, err := time.Parse(time.RFC3339Nano, info.SystemTime)
	if err != nil {
		return time.Time{}, fmt.Errorf("reading the engine's clock: %w", err)
	}
	return now, nil
}

// leftovers finds what carries a label, by run.
func (e *Engine) leftovers(ctx context.Context, label string) (map[string]leftover, error) {
	with := filters.NewArgs(filters.Arg("label", label))
	containers, err := e.client.ContainerList(ctx, container.ListOptions{All: true, Filters: with})
	if err != nil {
		return nil, fmt.Errorf("listing containers: %w", err)
	}
	volumes, err := e.client.VolumeList(ctx, volume.ListOptions{Filters: with})
	if err != nil {
		return nil, fmt.Errorf("listing volumes: %w", err)
	}
	runs := map[string]leftover{}
	for _, c := range containers {
		left := runs[c.Labels[runLabel]]
		left.containers = append(left.containers, c)
		runs[c.Labels[runLabel]] = left
	}
	for _, v := range volumes.Volumes {
		left := runs[v.Labels[runLabel]]
		left.volumes = append(left.volumes, v)
		runs[v.Labels[runLabel]] = left
	}
	delete(runs, "") // not one of ours after all
	return runs, nil
}

// forgotten: nobody will come back for what this run left.
func (e *Engine) forgotten(ctx context.Context, left leftover, now time.Time) bool {
	for _, c := range left.containers {
		switch e.fate(c.Labels[ownerLabel]) {
		case alive:
			return false
		case rebooted:
			if c.State == container.StateRunning {
				return false
			}
		case unknown:
			if !e.longIdle(ctx, c, now) {
				return false
			}
		}
	}
	for _, v := range left.volumes {
		switch e.fate(v.Labels[ownerLabel]) {
		case alive:
			return false
		case unknown:
			if len(left.containers) == 0 && !before(v.CreatedAt, now, idleLong) {
				return false
			}
		}
	}
	return true
}

// fate judges the driver that a label names; one that says nothing is unknown.
func (e *Engine) fate(label string) fate {
	driver, err := parseOwner(label)
	if err != nil {
		return unknown
	}
	return e.owner.fateOf(driver)
}

// longIdle: a container ended long ago, or was made and never started.
func (e *Engine) longIdle(ctx context.Context, c container.Summary, now time.Time) bool {
	found, err := e.client.ContainerInspect(ctx, c.ID)
	if err != nil {
		return cerrdefs.IsNotFound(err)
	}
	return idle(found.State, found.Created, now)
}

func idle(s *container.State, created string, now time.Time) bool {
	switch {
	case s.Running:
		return false
	case s.Status == container.StateCreated:
		return before(created, now, idleLong)
	}
	return before(s.FinishedAt, now, endedLong)
}

// before: the time of an engine's answer is that far in the past.
func before(stamp string, now time.Time, by time.Duration) bool {
	t, err := time.Parse(time.RFC3339Nano, stamp)
	return err == nil && now.Sub(t) > by
}
