package builder

import (
	"context"
	"encoding/json"
	"fmt"

	"namibuild/builder/event"
	"namibuild/builder/fetch"
	"namibuild/builder/source"
)

// look returns what the recipe does to the source. It takes what an earlier run
// of this program has found for the same source and the same changes, or inspects
// the source, and keeps the result for the next run.
func (b *build) look(ctx context.Context, in fetch.File) (source.Preview, error) {
	b.Tell.Say(event.Begin, event.Prepare, "looking the edits up")
	key, how := b.cacheKey("preview", in), ", as found before"
	p, known := b.keptPreview(key)
	if !known {
		var err error
		if p, err = source.Inspect(ctx, in.Path, b.local(), b.Tell.Bytes(event.Prepare)); err != nil {
			return p, &event.StepError{Step: event.Prepare, Err: err}
		}
		how = ""
		if err := b.keepPreview(key, p); err != nil {
			b.Tell.Say(event.Warning, event.Prepare, "what was found is not kept for the next time: %v", err)
		}
	}
	b.Tell.Say(event.End, event.Prepare, "%s to edit, %s to change in %s%s", event.Count(len(p.Changes), "file"), event.Count(len(p.Renames), "name"), p.Package, how)
	return p, nil
}

func (b *build) keptPreview(key string) (p source.Preview, ok bool) {
	f, ok := b.kept(key, &struct{}{})
	if !ok {
		return p, false
	}
	defer f.Close()
	return p, json.NewDecoder(f).Decode(&p) == nil
}

func (b *build) keepPreview(key string, p source.Preview) error {
	if key == "" {
		return nil
	}
	k, err := b.Store.CreateDerived(key)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(k).Encode(p); err != nil {
		k.Discard()
		return fmt.Errorf("keeping: %w", err)
	}
	_, err = k.Commit(struct{}{})
	return err
}
