package release

import (
	"bytes"
	"fmt"
	"reflect"

	"namibuild/builder/artifact"
	"namibuild/builder/boot"
	"namibuild/builder/plan"
	"namibuild/builder/recipe"
	"namibuild/builder/set"
)

// ContradictionError reports that the records of a set contradict each other, so that one
// of them is not what the build wrote.
type ContradictionError struct{ Dir, Reason string }

func (e *ContradictionError) Error() string {
	return fmt.Sprintf("%s: its records contradict each other: %s", e.Dir, e.Reason)
}

// contradiction says where the records of a build contradict each other: the plan must
// have the ID of the record, and the recipe in the lock must be that of the plan and of
// the record. It is empty if they do not.
func contradiction(r set.Record, files set.Files) (string, error) {
	if id := r.Plan.ID(); id != r.PlanID {
		return fmt.Sprintf("planID of %s is %.12s, but its plan has the ID %.12s", set.RecordFile, r.PlanID, id), nil
	}
	file, ok := files.Get(r.LockFile())
	if !ok {
		return "", nil
	}
	data, err := file.Read()
	if err != nil {
		return "", err
	}
	l, err := plan.ParseLock(bytes.NewReader(data))
	if err != nil || l.Plan.ID() != r.PlanID {
		return "", nil // Unlocked says so
	}
	fact, err := l.Contradiction()
	if err != nil {
		return fmt.Sprintf("%s: %v", file.Name, err), nil
	}
	if fact != "" {
		return fmt.Sprintf("the recipe in %s has another %s than the plan", file.Name, fact), nil
	}
	own, err := l.Recipe()
	if err != nil {
		return "", err
	}
	if l.Plan.Stock {
		own = own.AsStock()
	}
	if !sameProof(own.Proof, r.Proof) {
		return fmt.Sprintf("the recipe in %s has another proof than %s", file.Name, set.RecordFile), nil
	}
	return "", nil
}

// sameProof reports whether two recipes want the same proof. An empty list is no list.
func sameProof(a, b recipe.Proof) bool {
	for _, p := range []*recipe.Proof{&a, &b} {
		if len(p.Modules) == 0 {
			p.Modules = nil
		}
		if len(p.Allow) == 0 {
			p.Allow = nil
		}
	}
	return reflect.DeepEqual(a, b)
}

// provenAs returns the proof among the files of a set. The error is a *boot.UnprovenError
// unless the proof is about these packages, about the plan of the record, and shows all
// that the record's recipe wants.
func provenAs(r set.Record, dir string, files set.Files, packages []artifact.RPM) (boot.Proof, error) {
	p, err := boot.Proven(dir, files, packages)
	if err != nil {
		return p, err
	}
	if p.PlanID != r.PlanID {
		return p, &boot.UnprovenError{Dir: dir, Reason: fmt.Sprintf("its %s is about plan %.12q", set.ProofFile, p.PlanID)}
	}
	log, ok := files.Get(set.ProofLogFile)
	if !ok {
		return p, &boot.UnprovenError{Dir: dir, Reason: "it has no " + set.ProofLogFile}
	}
	console, err := log.Read()
	if err != nil {
		return p, fmt.Errorf("reading the proof: %w", err)
	}
	if unmet := p.Unmet(r.Proof, console); unmet != "" {
		return p, &boot.UnprovenError{Dir: dir, Reason: fmt.Sprintf("its %s does not show what its recipe wants: %s", set.ProofFile, unmet)}
	}
	return p, nil
}
