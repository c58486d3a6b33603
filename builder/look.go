package builder

import (
	"context"
	"encoding/json"
	"fmt"

	"namibuild/builder/fetch"
	"namibuild/builder/source"
)

// look returns what the recipe does to the source. It takes what an earlier run
// of this program has found for the same source and the same changes, or inspects
// the source, and keeps the result for the next run.
func (b *build) look(ctx context.Context, in fetch.File) (source.Preview, error) {
	b.tell(Begin, StepPrepare, "looking the edits up")
	key, how := b.cacheKey("preview", in), ", as found before"
	p, known := b.keptPreview(key)
	if !known {
		var err error
		if p, err = source.Inspect(ctx, in.Path, b.local(), b.bytes(StepPrepare)); err != nil {
			return p, &StepError{StepPrepare, err}
		}
		how = ""
		if err := b.keepPreview(key, p); err != nil {
			b.tell(Warning, StepPrepare, "what was found is not kept for the next time: %v", err)
		}
	}
	b.tell(End, StepPrepare, "%s to edit, %s to change in %s%s", count(len(p.Changes), "file"), count(len(p.Renames), "name"), p.Package, how)
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
	k, err := b.Store.StartKeeping(key)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(k).Encode(p); err != nil {
		k.Discard()
		return fmt.Errorf("keeping: %w", err)
	}
	_, err = k.Keep(struct{}{})
	return err
}
