package plan

import (
	"bytes"
	"encoding/json"
	"fmt"

	"namibuild/builder/recipe"
)

// Contradiction names what the recipe in the lock says in another way than the plan in the
// lock: the name, tag, changes, packages or image. It is empty if both
// agree. It does not compare the source and the arguments of rpmbuild, which also depend on
// the host and the options of the build.
func (l Lock) Contradiction() (string, error) {
	r, err := l.Recipe()
	if err != nil {
		return "", err
	}
	if l.Plan.Stock {
		r = r.AsStock()
	}
	p := l.Plan
	for _, fact := range []struct {
		name         string
		recipe, plan any
	}{
		{"name", r.Name, p.Name}, {"tag", r.Tag, p.Tag}, {"config", r.Config, p.Config}, {"patches", patches(r.Patches), p.Patches},
		{"sources", added(r.Sources), p.Sources}, {"edits", append([]recipe.Edit{}, r.Edits...), p.Edits},
		{"packages", append([]string{}, r.Packages...), p.Packages}, {"image", r.Image, p.Image},
	} {
		same, err := equalJSON(fact.recipe, fact.plan)
		if err != nil {
			return "", err
		}
		if !same {
			return fact.name, nil
		}
	}
	return "", nil
}

// equalJSON reports whether two values have the same JSON form, in which they are written.
func equalJSON(a, b any) (bool, error) {
	x, err := json.Marshal(a)
	if err != nil {
		return false, fmt.Errorf("comparing the lock: %w", err)
	}
	y, err := json.Marshal(b)
	if err != nil {
		return false, fmt.Errorf("comparing the lock: %w", err)
	}
	return bytes.Equal(x, y), nil
}
