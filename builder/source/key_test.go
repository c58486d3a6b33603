package source_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"namibuild/builder/recipe"
	"namibuild/builder/source"
)

// TestPrepareIsStable holds the digest of what Prepare makes of one SRPM with
// every kind of change. Packages are rebuilt from a lock by later versions too,
// which have to make the same topdir.
func TestPrepareIsStable(t *testing.T) {
	r := timewait
	r.Patches = []recipe.Patch{{File: "p", Strip: 1, Content: []byte("--- a/COPYING\n+++ b/COPYING\n@@ -1 +1 @@\n-GPLv2\n+GPL\n")}}
	r.Sources = []recipe.Added{{File: "config", As: "config", Content: []byte("CONFIG_A=y\n")}}
	out := scratch(t)
	preview, err := source.Prepare(t.Context(), at(t, stockPlain(t)), r, out, nil)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	page, err := json.Marshal(preview)
	if err != nil {
		t.Fatal(err)
	}
	const want = "eb6809164ee80c201b148649c1a811c418ba6795a3a3bc65f95f89bc6ebe637b"
	if got := fmt.Sprintf("%x", sha256.Sum256(append(data, page...))); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// stockPlain writes the usual SRPM without using a program of the host.
func stockPlain(t *testing.T) string {
	return write(t, stockPackage(stockSpec(t), compress(t, "none", pack(t, stockTree()))))
}

func TestKey(t *testing.T) {
	is := source.Key("aa", timewait)
	named := timewait
	named.Name, named.Description, named.Image, named.Dir, named.Path, named.Objects = "n", "d", "centos6", "/x", "/x/n.yaml", 7
	named.Source, named.Packages = recipe.Source{URL: "http://example.com"}, []string{"kernel"}
	named.Rpmbuild.With = []string{"firmware"}
	if source.Key("aa", named) != is {
		t.Error("what Prepare ignores changes the key")
	}
	whole := recipe.Recipe{Config: options}
	bare := recipe.Recipe{Config: options, Rpmbuild: recipe.Rpmbuild{With: []string{"baseonly"}}}
	if source.Key("aa", whole) == source.Key("aa", bare) {
		t.Error("the key is the same with and without the debug kernel, whose options Prepare sets too")
	}
	for name, r := range map[string]recipe.Recipe{
		"tag":     {Tag: "other", Edits: timewait.Edits},
		"edits":   {Tag: timewait.Tag},
		"config":  {Tag: timewait.Tag, Edits: timewait.Edits, Config: options},
		"patches": {Tag: timewait.Tag, Edits: timewait.Edits, Patches: []recipe.Patch{{Content: []byte("x")}}},
		"sources": {Tag: timewait.Tag, Edits: timewait.Edits, Sources: []recipe.Added{{Content: []byte("x")}}},
	} {
		if source.Key("aa", r) == is {
			t.Errorf("other %s do not change the key", name)
		}
	}
	if source.Key("ab", timewait) == is {
		t.Error("another SRPM does not change the key")
	}
}
