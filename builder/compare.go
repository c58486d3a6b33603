package builder

import (
	"errors"

	"namibuild/builder/compare"
	"namibuild/builder/plan"
	"namibuild/builder/set"
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
	one, err := recordOf(a)
	if err != nil {
		return Comparison{}, err
	}
	two, err := recordOf(b)
	if err != nil || one == nil || two == nil {
		return Comparison{Report: report}, err
	}
	return Comparison{report, plan.Differences(one.Plan, two.Plan)}, nil
}

// recordOf reads the record of the build that made a package or a set. It is nil where
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
