package builder

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"namibuild/builder/artifact"
)

// What takes part in publishing: a whole set under nextDir is the new one,
// whatever stands beside it; under placeDir it has begun to take its places.
const (
	nextDir  = ".next"
	placeDir = ".placing"
)

// setNames are the names that belong to one set: none of them may stand beside
// another set's packages.
var setNames = []string{
	RPMS, SRPMS, RecordJSN, Log, BuildRoot, Changes, SPDXFile, CycloneDXFile, ProvenanceFile,
	ModuleSignatures, FailedLog, FailedRPMS, "proof.json", "proof.log",
	"bench.json", "bench.csv", "bench.svg", "bench.png", repodataFolder,
}

// repodataFolder is what MakeRepository writes of a set's packages.
const repodataFolder = "repodata"

// commit makes a folder of dir the set that settle puts in place: one rename.
func commit(dir, part string) error {
	return os.Rename(filepath.Join(dir, part), filepath.Join(dir, nextDir))
}

// settle puts a committed set in place, from wherever a killed build has
// stopped doing so; without one it does nothing.
func settle(dir string) error {
	next, place := filepath.Join(dir, nextDir), filepath.Join(dir, placeDir)
	entries, err := os.ReadDir(next)
	if err == nil {
		err = removeStale(dir, entries)
		if err == nil {
			err = os.Rename(next, place)
		}
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	entries, err = os.ReadDir(place)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		to := filepath.Join(dir, e.Name())
		if err := errors.Join(os.RemoveAll(to), os.Rename(filepath.Join(place, e.Name()), to)); err != nil {
			return err
		}
	}
	return errors.Join(err, os.Remove(place))
}

// removeStale removes what belongs to the set before and has no successor.
func removeStale(dir string, entries []os.DirEntry) error {
	var failed []error
	locks, err := filepath.Glob(filepath.Join(dir, "?*.lock"))
	failed = append(failed, err)
	names := slices.Clone(setNames)
	for _, lock := range locks {
		names = append(names, filepath.Base(lock))
	}
	for _, name := range names {
		if !slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == name }) {
			failed = append(failed, os.RemoveAll(filepath.Join(dir, name)))
		}
	}
	return errors.Join(failed...)
}

// publish puts the set that was made, with its record, in place of the one
// before, whole or not at all: whatever ends it, this build or the next one
// that opens the directory brings it to its end.
func (o *output) publish(set artifact.Set, record any) (artifact.Set, error) {
	page, err := json.MarshalIndent(record, "", "  ")
	if err != nil {
		return set, fmt.Errorf("writing the record: %w", err)
	}
	err = os.WriteFile(o.part(RecordJSN), append(page, '\n'), 0o666)
	if err == nil {
		err = o.log.Sync()
	}
	if err == nil {
		err = commit(o.dir, partDir)
	}
	if err == nil {
		err = settle(o.dir)
	}
	if err != nil {
		return set, &OutputError{o.dir, err}
	}
	set.Dir = o.path(RPMS)
	return set, nil
}
