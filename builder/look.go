package builder

import (
	"context"
	"encoding/json"
	"fmt"

	"namibuild/builder/fetch"
	"namibuild/builder/source"
)

// look tells what the recipe does to the source: what an earlier run of this version
// found of the same source and the same changes, or what the source itself shows, which is kept
// for the next run.
func (b *build) look(ctx context.Context, in fetch.File) (source.Preview, error) {
	b.tell(Begin, StepPrepare, "looking the edits up")
	key, how := "preview "+b.Version+" "+source.Key(in.SHA256, b.Recipe), ", as found before"
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
	if b.NoCache {
		return p, false
	}
	f, ok := b.Store.OpenDerived(key, &struct{}{})
	if !ok {
		return p, false
	}
	defer f.Close()
	return p, json.NewDecoder(f).Decode(&p) == nil
}

func (b *build) keepPreview(key string, p source.Preview) error {
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
