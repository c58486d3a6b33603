package engine

import (
	"context"
	"fmt"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
)

// clearPause is the wait before looking again at what the engine is removing.
const clearPause = 50 * time.Millisecond

// clear removes everything of one run and says how much. It returns when the
// engine shows nothing of it any more; an error says what is left.
func (e *Engine) clear(ctx context.Context, run string) (removed int, err error) {
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
		failed := e.removeAll(ctx, left, gone)
		select {
		case <-ctx.Done():
			return len(gone), fmt.Errorf("%s: %w", left, ctx.Err())
		case <-time.After(clearPause):
		}
		if failed != nil {
			return len(gone), failed
		}
	}
}

// removeAll asks for the removal of containers, then of volumes. What the
// engine is already removing, or still holds busy for that, is left for the
// next look.
func (e *Engine) removeAll(ctx context.Context, left leftover, gone map[string]bool) error {
	for _, c := range left.containers {
		err := e.client.ContainerRemove(ctx, c.ID, container.RemoveOptions{Force: true, RemoveVolumes: true})
		if err != nil && !passing(err) {
			return fmt.Errorf("container %.12s: %w", c.ID, err)
		}
		gone[c.ID] = true
	}
	for _, v := range left.volumes {
		err := e.client.VolumeRemove(ctx, v.Name, false)
		if err != nil && !passing(err) {
			return fmt.Errorf("volume %.12s: %w", v.Name, err)
		}
		gone[v.Name] = true
	}
	return nil
}

// passing: it is gone, or the engine is at it.
func passing(err error) bool {
	return cerrdefs.IsNotFound(err) || cerrdefs.IsConflict(err)
}

// String names what is left, for an error.
func (l leftover) String() string {
	return fmt.Sprintf("%d containers and %d volumes are left", len(l.containers), len(l.volumes))
}
