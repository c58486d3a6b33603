package builder

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"namibuild/builder/compare"
	"namibuild/builder/event"
	"namibuild/builder/graft"
	"namibuild/builder/recipe"
	"namibuild/builder/set"
)

// Rebuilt is what a rebuild of a published set has found.
type Rebuilt struct {
	Comparison
	PlanID string `json:"planID"`
	// Varied are the conditions that differed from the published build's and must not
	// matter.
	Varied []string `json:"varied,omitempty"`
	// Grafts are the rebuilt packages with the published signatures.
	Grafts []graft.Graft `json:"grafts"`
	// Dir is the output directory of the rebuild.
	Dir string `json:"dir"`
}

// withSignatures returns the recipe with the published signatures of the modules in
// the place of the key that made them. If there are none, the set can be built only
// with the key.
func withSignatures(r recipe.Recipe, dir string) (recipe.Recipe, error) {
	if r.ModuleKey.Mode != recipe.KeyPersistent {
		return r, nil
	}
	table, err := os.ReadFile(filepath.Join(dir, set.SignaturesFile))
	if errors.Is(err, os.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return r, fmt.Errorf("rebuilding: reading the module signatures: %w", err)
	}
	r.ModuleKey = recipe.ModuleKey{Mode: recipe.KeyRecorded, File: set.SignaturesFile, Content: table}
	return r, nil
}

// sameDir reports whether two paths are of one existing directory.
func sameDir(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

// equal returns how many packages equal the published ones, in words.
func (r Rebuilt) equal() string {
	n := 0
	for _, g := range r.Grafts {
		if g.Equal {
			n++
		}
	}
	return fmt.Sprintf("%d of %s equal byte for byte", n, event.Count(len(r.Pairs), "package"))
}

// compareRebuilt compares a published set, or one package of it, with a rebuilt one.
func compareRebuilt(ctx context.Context, published, rebuilt string) (Rebuilt, error) {
	other := rebuilt
	if info, err := os.Stat(published); err == nil && !info.IsDir() {
		other = filepath.Join(rebuilt, set.RPMS, filepath.Base(published))
	}
	found, err := Compare(published, other)
	if err != nil {
		return Rebuilt{}, err
	}
	r := Rebuilt{Comparison: found, Grafts: []graft.Graft{}}
	for _, p := range found.Pairs {
		if err := ctx.Err(); err != nil {
			return r, err
		}
		if p.A == "" || p.B == "" {
			continue // only one set has it
		}
		g, err := graft.Files(packagePath(published, p.Name), filepath.Join(rebuilt, set.RPMS, p.Name))
		if errors.Is(err, os.ErrNotExist) {
			continue // it has another name in the other set
		}
		if err != nil {
			return r, fmt.Errorf("grafting the signatures of %s: %w", p.Name, err)
		}
		if p.Verdict == compare.Identical && !g.Equal {
			r.Verdict = compare.Unexplained // the files differ in something that compare does not look at
		}
		r.Grafts = append(r.Grafts, g)
	}
	return r, nil
}

// packagePath returns the path of a package of a published set, or of the published
// package itself.
func packagePath(published, name string) string {
	place, err := set.Find(published)
	if err != nil {
		return filepath.Join(published, name)
	}
	if place.Kind == set.Single {
		return published
	}
	return filepath.Join(place.Packages, name)
}
