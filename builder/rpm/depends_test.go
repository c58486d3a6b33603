package rpm_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/rpm"
	"namibuild/builder/rpm/rpmtest"
)

// Lists of different lengths are an error, whichever is short.
func TestUnevenLists(t *testing.T) {
	with := func(values ...rpm.Value) *rpm.Package {
		return parse(t, rpmtest.Build(rpmtest.Package{Name: "a", Version: "1", Release: "1",
			Change: func(v []rpm.Value) []rpm.Value { return append(v, values...) }}))
	}
	for want, p := range map[string]*rpm.Package{
		"reading dependencies: tag 1055 has 1 values for 2 names": with(rpm.StringsValue(rpm.TagConflictName, "a", "b"),
			rpm.StringsValue(rpm.TagConflictVersion, "1"), rpm.Int32Value(rpm.TagConflictFlags, 8, 8)),
		"reading dependencies: tag 1053 has 3 values for 2 names": with(rpm.StringsValue(rpm.TagConflictName, "a", "b"),
			rpm.StringsValue(rpm.TagConflictVersion, "1", "2"), rpm.Int32Value(rpm.TagConflictFlags, 8, 8, 8)),
	} {
		if list, err := p.Dependencies(rpm.Conflicts); err == nil || err.Error() != want {
			t.Errorf("got %v, %v, want %s", list, err, want)
		}
	}
	p := with(rpm.Int32Value(rpm.TagChangelogTime, 1, 2), rpm.StringsValue(rpm.TagChangelogName, "a", "b"), rpm.StringsValue(rpm.TagChangelogText, "x"))
	if log, err := p.Changelog(); err == nil || err.Error() != "reading changelog: tag 1082 has 1 values for 2 changes" {
		t.Errorf("got %v, %v", log, err)
	}
}

// A missing list is read as zero values. rpm 3 gave provides no versions.
func TestMissingLists(t *testing.T) {
	p := parse(t, rpmtest.Build(rpmtest.Package{Name: "a", Version: "1", Release: "1",
		Change: func(v []rpm.Value) []rpm.Value { return append(v, rpm.StringsValue(rpm.TagObsoleteName, "b", "c")) }}))
	list, err := p.Dependencies(rpm.Obsoletes)
	if diff := cmp.Diff([]rpm.Dependency{{Name: "b"}, {Name: "c"}}, list); diff != "" || err != nil {
		t.Errorf("%v: %s", err, diff)
	}
}
