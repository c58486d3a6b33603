package builder

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"namibuild/builder/compare"
	"namibuild/builder/durable"
	"namibuild/builder/event"
	"namibuild/builder/plan"
	"namibuild/builder/recipe"
	"namibuild/builder/rpm"
	"namibuild/builder/set"
)

// Rebuilt is what came of building a published set again.
type Rebuilt struct {
	Comparison
	PlanID string `json:"planID"`
	// Varied is what was other than in the published build and must not matter.
	Varied []string `json:"varied,omitempty"`
	Grafts []Graft  `json:"grafts"`
	// Dir holds what was built.
	Dir string `json:"dir"`
}

// Graft is a rebuilt package under the signatures of the published one.
type Graft struct {
	Package string `json:"package"`
	// Published and Grafted are the digests of both.
	Published string `json:"published"`
	Grafted   string `json:"grafted"`
	Equal     bool   `json:"equal"`
}

// NoLockError: a published set has no lock beside it, or more than one.
type NoLockError struct {
	Dir   string
	Found []string
}

func (e *NoLockError) Error() string {
	if len(e.Found) == 0 {
		return "no lock lies in " + e.Dir
	}
	return fmt.Sprintf("%s holds %d locks: %s", e.Dir, len(e.Found), strings.Join(e.Found, ", "))
}

// FindLock reads the lock that lies beside a published set, or beside one of its
// packages.
func FindLock(published string) (plan.Lock, error) {
	dir := set.DirOf(published)
	found, err := locksIn(dir)
	if err != nil {
		return plan.Lock{}, fmt.Errorf("looking for the lock: %w", err)
	}
	if len(found) != 1 {
		return plan.Lock{}, &NoLockError{dir, found}
	}
	found[0] = filepath.Join(dir, found[0])
	f, err := os.Open(found[0])
	if err != nil {
		return plan.Lock{}, fmt.Errorf("reading the lock: %w", err)
	}
	defer f.Close()
	l, err := plan.ParseLock(f)
	if err != nil {
		return l, fmt.Errorf("%s: %w", found[0], err)
	}
	return l, nil
}

// locksIn gives the names of the locks in a folder. A folder that does not exist has none.
func locksIn(dir string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	for _, e := range entries {
		if name, lock := strings.CutSuffix(e.Name(), ".lock"); lock && name != "" {
			names = append(names, e.Name())
		}
	}
	return names, err
}

// LockOf makes a lock for a published set that has none: of the plan and the
// image in the record beside it, and of the recipe, by its page, that the plan is
// said to come from. Build holds the one against the other.
func LockOf(published string, r recipe.Recipe, file string, page []byte) (plan.Lock, error) {
	record, err := recordOf(published)
	if err == nil && record == nil {
		err = set.ErrNoRecord
	}
	if err != nil {
		return plan.Lock{}, fmt.Errorf("rebuilding %s: %w", published, err)
	}
	beside, err := sourcing(SourceOptions{Recipe: r}).beside()
	return plan.Lock{Plan: record.Plan, Page: plan.LockedFile{File: file, Content: page}, Beside: beside, Layers: record.Image.Layers}, err
}

// Rebuild builds a published set again by its lock (Options.Lock), puts the
// published signatures on what came out, and compares: an output directory, or one
// package of it. No private key is needed. The result is there when the build
// succeeded, whatever the comparison found.
func Rebuild(ctx context.Context, o Options, published string) (Rebuilt, error) {
	if sameDir(set.DirOf(published), o.Output) {
		return Rebuilt{}, &durable.Error{Path: o.Output, Err: errors.New("the published set lies there")}
	}
	var err error
	if o.Recipe, err = withSignatures(o.Recipe, set.DirOf(published)); err != nil {
		return Rebuilt{}, err
	}
	res, err := Build(ctx, o)
	if err != nil {
		return Rebuilt{}, err
	}
	b := &build{Options: o}
	b.Tell.Say(event.Begin, event.Compare, "with %s", published)
	r, err := against(ctx, published, o.Output)
	if err != nil {
		return Rebuilt{}, &event.StepError{Step: event.Compare, Err: err}
	}
	r.PlanID, r.Varied, r.Dir = res.PlanID, res.Varied, o.Output
	b.Tell.Say(event.End, event.Compare, "%s: %s with the published signatures on them", r.Verdict, r.equal())
	return r, nil
}

// withSignatures is a recipe with the signatures of a published set's modules in
// the place of the key that made them. Where the set has none, who holds the key
// can build it.
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

// sameDir: two paths lead to one directory that is there.
func sameDir(a, b string) bool {
	one, aerr := os.Stat(a)
	two, berr := os.Stat(b)
	return aerr == nil && berr == nil && os.SameFile(one, two)
}

// equal counts the packages that are the published ones.
func (r Rebuilt) equal() string {
	n := 0
	for _, g := range r.Grafts {
		if g.Equal {
			n++
		}
	}
	return fmt.Sprintf("%d of %s equal byte for byte", n, event.Count(len(r.Pairs), "package"))
}

// against compares a published set, or one package of it, with a rebuilt one.
func against(ctx context.Context, published, rebuilt string) (Rebuilt, error) {
	other := rebuilt
	if info, err := os.Stat(published); err == nil && !info.IsDir() {
		other = filepath.Join(rebuilt, set.RPMS, filepath.Base(published))
	}
	found, err := Compare(published, other)
	if err != nil {
		return Rebuilt{}, err
	}
	r := Rebuilt{Comparison: found, Grafts: []Graft{}}
	for _, p := range found.Pairs {
		if err := ctx.Err(); err != nil {
			return r, err
		}
		if p.A == "" || p.B == "" {
			continue // one side alone has it
		}
		g, err := grafted(packagePath(published, p.Name), filepath.Join(rebuilt, set.RPMS, p.Name))
		if errors.Is(err, os.ErrNotExist) {
			continue // it has another name there
		}
		if err != nil {
			return r, fmt.Errorf("grafting the signatures of %s: %w", p.Name, err)
		}
		if p.Verdict == compare.Identical && !g.Equal {
			r.Verdict = compare.Unexplained // what was compared is not all there is
		}
		r.Grafts = append(r.Grafts, g)
	}
	return r, nil
}

// packagePath is where a package of a set lies, or the package itself.
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

// grafted puts the signatures of a published package on a rebuilt one.
func grafted(published, rebuilt string) (Graft, error) {
	g := Graft{Package: filepath.Base(published)}
	signed, err := os.Open(published)
	if err != nil {
		return g, err
	}
	defer signed.Close()
	made, err := os.Open(rebuilt)
	if err != nil {
		return g, err
	}
	defer made.Close()
	p, err := rpm.ReadPackage(signed)
	if err != nil {
		return g, err
	}
	if g.Published, err = sha256Of(signed); err != nil {
		return g, err
	}
	if g.Grafted, err = graftedSum(p, made); err != nil {
		return g, err
	}
	g.Equal = g.Published == g.Grafted
	return g, nil
}

// graftedSum is the digest of a rebuilt package under a published one's
// signature header. Digests of the payload that signing put into the header
// are put there too.
func graftedSum(signed *rpm.Package, made *os.File) (string, error) {
	p, err := rpm.ReadPackage(made)
	if err != nil {
		return "", err
	}
	start := p.PayloadOffset
	if signed.Header.Has(rpm.TagPayloadDigest) {
		if p, err = p.WithPayloadDigests(made); err != nil {
			return "", err
		}
	}
	h := sha256.New()
	if _, err := p.Graft(signed).WriteTo(h); err != nil {
		return "", err
	}
	if _, err := made.Seek(start, io.SeekStart); err != nil {
		return "", err
	}
	if _, err := io.Copy(h, made); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}

func sha256Of(f *os.File) (string, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}
