package engine

import (
	"context"
	"fmt"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
)

// removePause is the pause before listing again what the engine is removing.
const removePause = 50 * time.Millisecond

// removeRun removes the containers and volumes of a run and returns how many it
// removed. It returns when the engine no longer lists any; an error says what is
// left.
func (e *Engine) removeRun(ctx context.Context, run string) (removed int, err error) {
	gone := map[string]bool{}
	for {
		runs, err := e.leftovers(ctx, runLabel+"="+run)
		if err != nil {
			return len(gone), err
		}
		left, some := runs[run]
		if !some {
			return len(gone), nil
		}
		failed := e.requestRemoval(ctx, left, gone)
		select {
		case <-ctx.Done():
			return len(gone), fmt.Errorf("%s: %w", left, ctx.Err())
		case <-time.After(removePause):
		}
		if failed != nil {
			return len(gone), failed
		}
	}
}

// requestRemoval requests the removal of the containers, then of the volumes. What
// the engine is already removing, or what is busy because of that, is no error.
func (e *Engine) requestRemoval(ctx context.Context, left leftover, gone map[string]bool) error {
	for _, c := range left.containers {
		err := e.client.ContainerRemove(ctx, c.ID, container.RemoveOptions{Force: true, RemoveVolumes: true})
		if err != nil && !isGone(err) {
			return fmt.Errorf("container %.12s: %w", c.ID, err)
		}
		gone[c.ID] = true
	}
	for _, v := range left.volumes {
		err := e.client.VolumeRemove(ctx, v.Name, false)
		if err != nil && !isGone(err) {
			return fmt.Errorf("volume %.12s: %w", v.Name, err)
		}
		gone[v.Name] = true
	}
	return nil
}

// isGone reports whether err says that something does not exist or is being
// removed.
func isGone(err error) bool {
	return cerrdefs.IsNotFound(err) || cerrdefs.IsConflict(err)
}

// String says what is left, for an error.
func (l leftover) String() string {
	return fmt.Sprintf("%d containers and %d volumes are left", len(l.containers), len(l.volumes))
}
