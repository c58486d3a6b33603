package builder

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"namibuild/builder/event"
	"namibuild/builder/kerneltest"

	"github.com/google/go-cmp/cmp"
)

// TestPreviewAgain checks that a source is inspected once for a recipe and a program. It
// is inspected again for another change, by another program, without the cache, and
// if the note is damaged. The result is the same.
func TestPreviewAgain(t *testing.T) {
	o, _, events := setup(t)
	preview := func(o Options) (text string, again bool) {
		t.Helper()
		*events = nil
		p, found, err := Plan(context.Background(), o.PlanOptions)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range *events {
			again = again || e.Kind == event.End && e.Step == event.Prepare && strings.HasSuffix(e.Text, ", as found before")
		}
		return p.Text() + found.Diff(), again
	}
	first, again := preview(o)
	if again {
		t.Error("the first run takes what was found before")
	}
	second, again := preview(o)
	if !again {
		t.Error("the second run inspects the source again")
	}
	if d := cmp.Diff(first, second); d != "" {
		t.Errorf("-first +second\n%s", d)
	}
	if _, err := Lock(context.Background(), o.PlanOptions, "timewait.yaml", []byte(kerneltest.Page)); err != nil {
		t.Fatal(err)
	}

	for name, program := range map[string]string{"an edited program": "4567", "an unknown program": ""} {
		edited := o
		edited.Program = program
		if text, again := preview(edited); again || text != first {
			t.Errorf("%s takes what another one has found", name)
		}
		if _, again := preview(edited); again != (program != "") {
			t.Errorf("%s: the second run takes what the first one has found: %v", name, again)
		}
	}

	uncached := o
	uncached.NoCache = true
	if _, again := preview(uncached); again {
		t.Error("NoCache takes what was found before")
	}
	other := o
	other.Recipe.Tag = "other"
	if text, again := preview(other); again || text == first {
		t.Error("another recipe takes what was found for this one")
	}
	kept, err := filepath.Glob(filepath.Join(o.Store.Dir(), "kept", "*"))
	if err != nil || len(kept) != 6 {
		t.Fatalf("%v, %v", kept, err)
	}
	for _, file := range kept {
		if !strings.HasSuffix(file, ".json") {
			if err := os.WriteFile(file, []byte(`{"Package":{}}`), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	if text, again := preview(o); again || text != first {
		t.Error("a damaged note is used")
	}
}
