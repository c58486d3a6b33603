package builder

import (
	"context"
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
	"namibuild/builder/boot"
	"namibuild/builder/pgp"
	"namibuild/builder/plan"
	"namibuild/builder/provenance"
	"namibuild/builder/sign"
)

func mustRead(t *testing.T, dir string) Record {
	t.Helper()
	r, err := ReadRecord(dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestCaveats: what a set lacks is said, and gone when it is there.
func TestCaveats(t *testing.T) {
	dir, _ := recorded(t)
	r := mustRead(t, dir)
	r.Plan.Insecure, r.Varied = "it is not signed", []string{"jobs", "tmpfs"}
	r.Plan.Pins = []plan.Pin{{Name: "clock", Off: true}, {Name: "order"}}
	want := map[string]string{
		"insecure": "it is not signed", "varied": "jobs; tmpfs", "unreproducible": "the module key is made anew in every build",
		"unpinned": "clock", "unproven": "it has no proof.json", "unlocked": "it has no timewait.lock",
	}
	got, err := r.Caveats()
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("%v\n%s", err, d)
	}

	r = mustRead(t, dir)
	r.Plan.ModuleKey.Mode = "persistent"
	proof := boot.Proof{Passed: true, Checks: []boot.Check{{Name: "release", Passed: true}}, Packages: []boot.Package{{File: r.RPMs[0].File, SHA256: r.RPMs[0].SHA256}}}
	if err := boot.Write(dir, proof, nil); err != nil {
		t.Fatal(err)
	}
	lock := plan.Lock{Plan: r.Result.Plan, Page: plan.LockedFile{File: "timewait.yaml", Content: []byte("name: timewait\n")}}
	page, err := lock.Write()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "timewait.lock"), page, 0o666); err != nil {
		t.Fatal(err)
	}
	r.PlanID = r.Plan.ID()
	got, err = r.Caveats()
	if len(got) != 0 || err != nil {
		t.Errorf("nothing is lacking: %v, %v", got, err)
	}
	r.PlanID = strings.Repeat("0", 64)
	if got, err = r.Caveats(); err != nil || !strings.HasPrefix(got["unlocked"], "its timewait.lock is about plan ") {
		t.Errorf("another lock: %v, %v", got, err)
	}
}

// provenanceKey is a signing key, made once: that takes seconds.
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

// TestProvenance: signed twice the same, about these packages alone, and with
// the digests of what lies beside them.
func TestProvenance(t *testing.T) {
	dir, res := recorded(t)
	r, k := mustRead(t, dir), testKey(t)
	envelope, err := Provenance(t.Context(), r, ProvenanceOptions{}, k)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Provenance(t.Context(), mustRead(t, dir), ProvenanceOptions{}, k); string(again) != string(envelope) || err != nil {
		t.Errorf("signed again: %v", err)
	}
	s, err := VerifyProvenance(t.Context(), envelope, k.Key, res.Set)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{res.PlanID, res.Plan.SRPM.SHA256, res.Changes.SHA256, res.BuildRoot.SHA256, `"name":"build.log"`, `"unproven"`} {
		if !strings.Contains(string(s.JSON()), want) {
			t.Errorf("no %s in\n%s", want, s.JSON())
		}
	}
	other := artifact.Set{RPMs: []artifact.RPM{res.RPMs[0]}}
	other.RPMs[0].SHA256 = strings.Repeat("0", 64)
	more := artifact.Set{RPMs: append([]artifact.RPM{}, res.RPMs...)}
	for name, test := range map[string]struct {
		set  artifact.Set
		want string
	}{
		"another package": {other, "it is not about kernel-2.6.32-431.3.1.namibuild.el6.x86_64.rpm, sha256 000000"},
		"fewer":           {artifact.Set{}, "it is about 1 package, want 0 packages"},
		"more":            {artifact.Set{RPMs: append(more.RPMs, artifact.RPM{File: "b.rpm"})}, "it is not about b.rpm"},
	} {
		if _, err := VerifyProvenance(t.Context(), envelope, k.Key, test.set); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v\nwant %s", name, err, test.want)
		}
	}
	page, err := os.ReadFile("pgp/testdata/certificate.asc")
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := pgp.ParseSigningKey(page)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := VerifyProvenance(t.Context(), envelope, stranger, mustRead(t, dir).Set); !errors.Is(err, provenance.ErrOtherKey) {
		t.Errorf("another key: %v", err)
	}
}

// TestProvenanceOfSigned: the signed packages are the subjects, those that were
// built are named beside them.
func TestProvenanceOfSigned(t *testing.T) {
	dir, _ := recorded(t)
	r, k := mustRead(t, dir), testKey(t)
	signed, err := sign.Packages(t.Context(), r.Set, k, t.TempDir(), sign.Options{Epoch: r.Plan.SRPM.Epoch})
	if err != nil {
		t.Fatal(err)
	}
	r.Set = signed
	s, err := StateProvenance(r, ProvenanceOptions{Caveats: map[string]string{"unproven": "waived"}})
	if err != nil {
		t.Fatal(err)
	}
	subjects, err := s.Subjects()
	if want := []provenance.File{{Name: signed.RPMs[0].File, SHA256: signed.RPMs[0].SHA256}}; !cmp.Equal(want, subjects) || err != nil {
		t.Errorf("subjects %v, %v", subjects, err)
	}
	built := `"name":"` + r.Built.RPMs[0].File + `, not signed"`
	if !strings.Contains(string(s.JSON()), built) || !strings.Contains(string(s.JSON()), `"caveats":{"unproven":"waived"}`) {
		t.Errorf("%s or the caveat is not in\n%s", built, s.JSON())
	}
	if _, _, err := SBOM(r); err != nil {
		t.Errorf("the bill of the signed set: %v", err)
	}
}

// A build without a clock states no times.
func TestProvenanceWithoutTimes(t *testing.T) {
	o, _, _ := setup(t)
	o.Now = nil
	if _, err := Build(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	s, err := StateProvenance(mustRead(t, o.Output), ProvenanceOptions{})
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
