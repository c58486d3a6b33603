package recipe

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestAsStock checks that the recipe of the vendor's own kernel has the same
// source and build, and none of the changes.
func TestAsStock(t *testing.T) {
	r := Recipe{
		Name: "x", Image: "debian12", Source: Source{Pack: "demo"}, Tag: "t", Config: []Option{{Name: "CONFIG_A", Value: "y"}}, Patches: []Patch{{File: "a"}}, Sources: []Added{{File: "b"}},
		Edits: []Edit{{File: "c", Find: "d", Replace: "e", Times: 1}}, Rpmbuild: Rpmbuild{With: []string{"firmware"}}, Packages: []string{"kernel"}, Objects: 7,
		Proof: Proof{TimeWait: 5, FinTimeout: 5, Version: "t", Modules: []string{"dummy"}, Signed: true, Allow: []string{"f"}, Stock: &StockProof{60, 61}},
	}
	want := Recipe{
		Name: "x", Image: "debian12", Source: Source{Pack: "demo"}, Rpmbuild: Rpmbuild{With: []string{"firmware"}}, Packages: []string{"kernel"}, Objects: 7,
		Proof: Proof{TimeWait: 60, FinTimeout: 61, Modules: []string{"dummy"}, Signed: true, Allow: []string{"f"}}, Stock: true,
	}
	if d := cmp.Diff(want, r.AsStock(), allFields); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	r.Proof.Stock = nil
	want.Proof.TimeWait, want.Proof.FinTimeout = 0, 0
	if d := cmp.Diff(want, r.AsStock(), allFields); d != "" {
		t.Errorf("without stock: -want +got\n%s", d)
	}
}
