package topdir

import (
	"context"
	"encoding/json"
	"fmt"

	"namibuild/builder/event"
	"namibuild/builder/source"
)

// Preview returns what the recipe changes in the source. It takes what an earlier run
// of this program has found for the same source and the same changes, or inspects the
// source and keeps the result for the next run. Failure to keep it is only a warning.
func (s Source) Preview(ctx context.Context) (source.Preview, error) {
	s.Tell.Say(event.Begin, event.Prepare, "reading the source for the edits")
	key, how := s.key("preview"), ", as found before"
	p, known := s.keptPreview(key)
	if !known {
		var err error
		if p, err = source.Inspect(ctx, s.Files(), s.Recipe, s.Tell.Bytes(event.Prepare)); err != nil {
			return p, &event.StepError{Step: event.Prepare, Err: err}
		}
		how = ""
		if err := s.keepPreview(key, p); err != nil {
			s.Tell.Say(event.Warning, event.Prepare, "what was found is not kept for the next time: %v", err)
		}
	}
	s.Tell.Say(event.End, event.Prepare, "%s to edit, %s to change in %s%s", event.Count(len(p.Changes), "file"), event.Count(len(p.Renames), "name"), p.Package, how)
	return p, nil
}

func (s Source) keptPreview(key string) (p source.Preview, ok bool) {
	f, ok := s.kept(key, &struct{}{})
	if !ok {
		return p, false
	}
	defer f.Close()
	return p, json.NewDecoder(f).Decode(&p) == nil
}

func (s Source) keepPreview(key string, p source.Preview) error {
	if key == "" {
		return nil
	}
	w, err := s.Store.CreateDerived(key)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(w).Encode(p); err != nil {
		w.Discard()
		return fmt.Errorf("keeping: %w", err)
	}
	_, err = w.Commit(struct{}{})
	return err
}
