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

// What a driver of unknown state left counts as abandoned after these times. A
// container that has ended is exported within an hour or never. One that has not
// run may still wait for a slow upload.
const (
	endedLong = time.Hour
	idleLong  = 24 * time.Hour
)

// leftover lists the containers and volumes of a run.
type leftover struct {
	containers []container.Summary
	volumes    []*volume.Volume
}

// Sweep removes the containers and volumes of dead drivers, and returns how many
// it removed. It leaves those of live drivers. Whether a driver on another host
// lives is not known; Sweep removes only what that left long ago.
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
		if !e.abandoned(ctx, left, now) {
			continue
		}
		n, err := e.removeRun(ctx, run)
		removed += n
		if err != nil {
			failed = append(failed, fmt.Errorf("sweeping: %w", err))
		}
	}
	return removed, errors.Join(failed...)
}

// now returns the time of the engine's clock, which also gives its containers
// their times.
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

// leftovers finds the containers and volumes with a label, by the ID of their run.
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
	delete(runs, "") // these were not created by this package
	return runs, nil
}

// abandoned reports whether no driver will come back for the run.
func (e *Engine) abandoned(ctx context.Context, left leftover, now time.Time) bool {
	for _, c := range left.containers {
		switch e.driverState(c.Labels[ownerLabel]) {
		case alive:
			return false
		case rebooted:
			if c.State == container.StateRunning {
				return false
			}
		case unknown:
			if !e.hasLongBeenIdle(ctx, c, now) {
				return false
			}
		}
	}
	for _, v := range left.volumes {
		switch e.driverState(v.Labels[ownerLabel]) {
		case alive:
			return false
		case unknown:
			if len(left.containers) == 0 && !olderThan(v.CreatedAt, now, idleLong) {
				return false
			}
		}
	}
	return true
}

// driverState returns the state of the driver in a label. That of an unreadable
// label is unknown.
func (e *Engine) driverState(label string) driverState {
	driver, err := parseOwner(label)
	if err != nil {
		return unknown
	}
	return e.owner.stateOf(driver)
}

// hasLongBeenIdle reports whether a container ended long ago, or was created long
// ago and never started.
func (e *Engine) hasLongBeenIdle(ctx context.Context, c container.Summary, now time.Time) bool {
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
		return olderThan(created, now, idleLong)
	}
	return olderThan(s.FinishedAt, now, endedLong)
}

// olderThan reports whether a time that the engine gave is further in the past
// than by.
func olderThan(stamp string, now time.Time, by time.Duration) bool {
	t, err := time.Parse(time.RFC3339Nano, stamp)
	return err == nil && now.Sub(t) > by
}
