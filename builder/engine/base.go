package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/image"
)

// ImportBase makes an image's local base of the tar of a root file system.
// From then on EnsureImage builds the image on it instead of pulling a base. An
// earlier local base is removed unless something else names or uses it.
func (e *Engine) ImportBase(ctx context.Context, name string, root io.Reader) error {
	if !imageName.MatchString(name) {
		return fmt.Errorf("importing a base: image name %q: want lower-case letters, digits, dots and dashes", name)
	}
	ref := e.localBase(name)
	before, err := e.client.ImageInspect(ctx, ref)
	if err != nil && !cerrdefs.IsNotFound(err) {
		return fmt.Errorf("importing %s: %w", ref, err)
	}
	source := &contextReader{ctx: ctx, r: root}
	err = e.load(ctx, ref, source)
	if failed := source.failure(); failed != nil {
		err = failed
	}
	if err != nil {
		return fmt.Errorf("importing %s: %w", ref, withENOSPC(err))
	}
	return e.removeUntagged(ctx, before.ID)
}

// load lets the engine make an image of a tar and waits until it is done.
func (e *Engine) load(ctx context.Context, ref string, root io.Reader) error {
	reply, err := e.client.ImageImport(ctx, image.ImportSource{Source: root, SourceName: "-"}, ref, image.ImportOptions{})
	if err != nil {
		return err
	}
	defer reply.Close()
	for messages := json.NewDecoder(reply); ; {
		var said struct{ Error string }
		switch err := messages.Decode(&said); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case said.Error != "":
			return errors.New(said.Error)
		}
	}
}

// removeUntagged removes an image that has lost its last name, unless a container
// still uses it.
func (e *Engine) removeUntagged(ctx context.Context, id string) error {
	if id == "" {
		return nil
	}
	found, err := e.client.ImageInspect(ctx, id)
	if err == nil && len(found.RepoTags) == 0 {
		_, err = e.client.ImageRemove(ctx, id, image.RemoveOptions{PruneChildren: true})
	}
	if err != nil && !isGone(err) {
		return fmt.Errorf("removing the earlier base: %w", err)
	}
	return nil
}

// localBase returns the reference of an image's local base.
func (e *Engine) localBase(name string) string { return e.prefix + "/base-" + name + ":local" }
