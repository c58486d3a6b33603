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

// ImportBase makes the tar of a root file system the local base of an image:
// EnsureImage builds upon it from then on instead of pulling one. The base
// that had the name before goes, unless something else names or uses it.
func (e *Engine) ImportBase(ctx context.Context, name string, root io.Reader) error {
	if !imageName.MatchString(name) {
		return fmt.Errorf("importing a base: image name %q: want lower-case letters, digits, dots, dashes", name)
	}
	ref := e.localBase(name)
	before, err := e.client.ImageInspect(ctx, ref)
	if err != nil && !cerrdefs.IsNotFound(err) {
		return fmt.Errorf("importing %s: %w", ref, err)
	}
	source := &gate{ctx: ctx, r: root}
	err = e.load(ctx, ref, source)
	if failed := source.fault(); failed != nil {
		err = failed
	}
	if err != nil {
		return fmt.Errorf("importing %s: %w", ref, full(err))
	}
	return e.dropNameless(ctx, before.ID)
}

// load has the engine make an image of a tar and waits until it says so.
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

// dropNameless removes an image that lost its last name. One that a container
// still uses stays.
func (e *Engine) dropNameless(ctx context.Context, id string) error {
	if id == "" {
		return nil
	}
	found, err := e.client.ImageInspect(ctx, id)
	if err == nil && len(found.RepoTags) == 0 {
		_, err = e.client.ImageRemove(ctx, id, image.RemoveOptions{PruneChildren: true})
	}
	if err != nil && !passing(err) {
		return fmt.Errorf("removing the base before: %w", err)
	}
	return nil
}

// localBase is what a base is called that was not pulled.
func (e *Engine) localBase(name string) string { return e.prefix + "/base-" + name + ":local" }
