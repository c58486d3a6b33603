package release

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/artifact"
	"namibuild/builder/buildertest"
	"namibuild/builder/engine/enginetest"
	"namibuild/builder/pgp"
	"namibuild/builder/plan"
	"namibuild/builder/provenance"
	"namibuild/builder/set"
	"namibuild/builder/sign"
)

// mustOpen opens a set whose packages are those of its record.
func mustOpen(t *testing.T, dir string) set.Set {
	t.Helper()
	s, err := set.Open(dir)
	if err == nil {
		err = s.Built()
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestCaveats checks that each caveat is found, and that a set without faults has none.
func TestCaveats(t *testing.T) {
	dir := buildertest.Build(t)
	s := mustOpen(t, dir)
	r := s.Record
	r.Plan.Insecure, r.Varied = "it is not signed", []string{"jobs", "tmpfs"}
	r.Plan.Pins = []plan.Pin{{Name: "clock", Off: true}, {Name: "order"}}
	want := map[string]string{
		"insecure": "it is not signed", "varied": "jobs; tmpfs", "unreproducible": "the module key is a new one in every build",
		"unpinned": "clock", "unproven": "it has no proof.json", "unlocked": "it has no timewait.lock",
	}
	got, err := Caveats(s)
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("%v\n%s", err, d)
	}

	r = mustOpen(t, dir).Record
	r.Plan.ModuleKey.Mode = "persistent"
	lock := plan.Lock{Plan: r.Plan, Page: plan.LockedFile{File: "timewait.yaml", Content: []byte("name: timewait\n")}}
	page, err := lock.Write()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "timewait.lock"), page, 0o666); err != nil {
		t.Fatal(err)
	}
	r.PlanID = r.Plan.ID()
	provenBy(t, dir, r.PlanID)
	s = mustOpen(t, dir)
	s.Record = r
	got, err = Caveats(s)
	if len(got) != 0 || err != nil {
		t.Errorf("a set without faults: %v, %v", got, err)
	}
	r.PlanID = strings.Repeat("0", 64)
	if got, err = Caveats(s); err != nil || !strings.HasPrefix(got["unlocked"], "its timewait.lock is about plan ") {
		t.Errorf("another lock: %v, %v", got, err)
	}
}

// provenanceKey is a signing key. It is made once, because that takes seconds.
var provenanceKey = sync.OnceValues(func() (sign.Key, error) {
	k, _, err := sign.Generate(pgp.NewKeyOptions{Name: "Kernels <kernels@example.org>", Created: time.Unix(1300000000, 0)}, nil)
	return k, err
})

func testKey(t *testing.T) sign.Key {
	t.Helper()
	k, err := provenanceKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestProvenance checks that signing a provenance twice gives equal bytes, that it is
// about the packages of the set only, and that it has the digests of the files beside
// them.
func TestProvenance(t *testing.T) {
	dir := buildertest.Build(t)
	built, k := mustOpen(t, dir), testKey(t)
	res := built.Record
	envelope, err := Provenance(t.Context(), built, ProvenanceOptions{}, k)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Provenance(t.Context(), mustOpen(t, dir), ProvenanceOptions{}, k); string(again) != string(envelope) || err != nil {
		t.Errorf("signed again: %v", err)
	}
	s, err := VerifyProvenance(t.Context(), envelope, k.Key, res.RPMs)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{res.PlanID, res.Plan.SRPM.SHA256, res.Changes.SHA256, res.BuildRoot.SHA256, `"name":"build.log"`, `"unproven"`} {
		if !strings.Contains(string(s.JSON()), want) {
			t.Errorf("no %s in\n%s", want, s.JSON())
		}
	}
	other := res.RPMs[0]
	other.SHA256 = strings.Repeat("0", 64)
	for name, test := range map[string]struct {
		rpms []artifact.RPM
		want string
	}{
		"another package": {[]artifact.RPM{other}, "it is not about kernel-2.6.32-431.3.1.namibuild.el6.x86_64.rpm, sha256 000000"},
		"fewer":           {nil, "it is about 1 package, want 0 packages"},
		"more":            {[]artifact.RPM{res.RPMs[0], {File: "b.rpm"}}, "it is not about b.rpm"},
	} {
		if _, err := VerifyProvenance(t.Context(), envelope, k.Key, test.rpms); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v\nwant %s", name, err, test.want)
		}
	}
	page, err := os.ReadFile("../pgp/testdata/certificate.asc")
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := pgp.ParseSigningKey(page)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := VerifyProvenance(t.Context(), envelope, stranger, res.RPMs); !errors.Is(err, provenance.ErrOtherKey) {
		t.Errorf("another key: %v", err)
	}
}

// TestProvenanceOfSigned checks that the signed packages are the subjects, and that the
// provenance also names the packages as they were built.
func TestProvenanceOfSigned(t *testing.T) {
	built, k := mustOpen(t, buildertest.Build(t)), testKey(t)
	epoch := built.Record.Plan.SRPM.Epoch
	signed, err := sign.Packages(t.Context(), artifact.Set{Dir: built.Packages, RPMs: built.RPMs}, k, t.TempDir(), sign.Options{Epoch: epoch})
	if err != nil {
		t.Fatal(err)
	}
	s, err := state(built, signed, ProvenanceOptions{Caveats: map[string]string{"unproven": "waived"}})
	if err != nil {
		t.Fatal(err)
	}
	subjects, err := s.Subjects()
	if want := []provenance.File{{Name: signed.RPMs[0].File, SHA256: signed.RPMs[0].SHA256}}; !cmp.Equal(want, subjects) || err != nil {
		t.Errorf("subjects %v, %v", subjects, err)
	}
	was := `"name":"` + built.RPMs[0].File + `, not signed"`
	if !strings.Contains(string(s.JSON()), was) || !strings.Contains(string(s.JSON()), `"caveats":{"unproven":"waived"}`) {
		t.Errorf("%s or the caveat is not in\n%s", was, s.JSON())
	}
	spdx, _, err := sbomOf(built, signed)
	if err != nil || !strings.Contains(string(spdx), signed.RPMs[0].SHA256) {
		t.Errorf("the SBOM of the signed set: %v", err)
	}
}

// TestProvenanceWithoutTimes checks that the provenance of a build without a clock has no
// times.
func TestProvenanceWithoutTimes(t *testing.T) {
	dir := buildertest.Build(t, func(o *buildertest.Options, _ *enginetest.Fake) { o.Now = nil })
	s, err := StateProvenance(mustOpen(t, dir), ProvenanceOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var page struct {
		Predicate struct{ RunDetails map[string]any }
	}
	if err := json.Unmarshal(s.JSON(), &page); err != nil || page.Predicate.RunDetails["metadata"] != nil {
		t.Errorf("%v, %v", page.Predicate.RunDetails, err)
	}
}
