package builder

import (
	"errors"

	"namibuild/builder/compare"
	"namibuild/builder/plan"
	"namibuild/builder/set"
)

// Comparison is how two sets differ, and how their plans do.
type Comparison struct {
	compare.Report
	// Plans are the facts in which the plans of the two builds differ. There is none
	// if a set has no record.
	Plans []plan.Difference `json:"plans,omitempty"`
}

// Compare compares two packages, two other files, or two output directories.
func Compare(a, b string) (Comparison, error) {
	report, err := compare.Paths(a, b)
	if err != nil {
		return Comparison{}, err
	}
	recordA, err := recordOf(a)
	if err != nil {
		return Comparison{}, err
	}
	recordB, err := recordOf(b)
	if err != nil || recordA == nil || recordB == nil {
		return Comparison{Report: report}, err
	}
	return Comparison{report, plan.Differences(recordA.Plan, recordB.Plan)}, nil
}

// recordOf reads the record of the build that made a package or a set. It is nil if
// there is none.
func recordOf(path string) (*set.Record, error) {
	place, err := set.Find(path)
	if errors.As(err, new(*set.PathError)) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return set.ReadRecord(place.Dir)
}

// requireRecord is recordOf, but a missing record is set.ErrNoRecord.
func requireRecord(path string) (*set.Record, error) {
	r, err := recordOf(path)
	if err == nil && r == nil {
		err = set.ErrNoRecord
	}
	return r, err
}
