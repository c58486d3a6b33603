package builder

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"namibuild/builder/compare"
	"namibuild/builder/plan"
)

// Comparison is what was found about two sets, and what their plans have to do
// with it.
type Comparison struct {
	compare.Report
	// Plans are the facts in which the plans beside the sets differ; nothing
	// where a set has no record beside it.
	Plans []plan.Difference `json:"plans,omitempty"`
}

// Compare compares two packages, other files, or output directories.
func Compare(a, b string) (Comparison, error) {
	report, err := compare.Paths(a, b)
	if err != nil {
		return Comparison{}, err
	}
	one, err := recordBeside(a)
	if err != nil {
		return Comparison{}, err
	}
	two, err := recordBeside(b)
	if err != nil || one == nil || two == nil {
		return Comparison{Report: report}, err
	}
	return Comparison{report, plan.Differences(one.Plan, two.Plan)}, nil
}

// setDir is the output directory that a path belongs to: itself, or that of a
// package in it or in its RPMS.
func setDir(path string) string {
	dir := path
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		dir = filepath.Dir(path)
	}
	if abs, err := filepath.Abs(dir); err == nil && filepath.Base(abs) == RPMS {
		return filepath.Dir(abs)
	}
	return dir
}

// recordBeside reads the record of the build that made a package or a set. nil:
// there is none.
func recordBeside(path string) (*Result, error) {
	dir := setDir(path)
	page, err := os.ReadFile(filepath.Join(dir, RecordJSN))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the record: %w", err)
	}
	var r Result
	if err := json.Unmarshal(page, &r); err != nil {
		return nil, fmt.Errorf("reading the record %s: %w", filepath.Join(dir, RecordJSN), err)
	}
	r.Dir = filepath.Join(dir, RPMS)
	return &r, nil
}
