package recipe

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func TestModuleKey(t *testing.T) {
	const page = "name: a\nimage: centos6\nsource: {pack: p}\npackages: [kernel]\nmodule-key: "
	beside := fstest.MapFS{"p/Dockerfile": {}, "sig/s.json": {Data: []byte("{}")}}
	for text, want := range map[string]ModuleKey{
		"ephemeral":                {},
		"{persistent: ../my.key}":  {Mode: KeyPersistent, File: "../my.key"},
		"{recorded: sig/s.json}":   {Mode: KeyRecorded, File: "sig/s.json", Content: []byte("{}")},
		"\n  persistent: /k/a.key": {Mode: KeyPersistent, File: "/k/a.key"},
	} {
		r, err := Read("a.yaml", []byte(page+text), beside)
		if d := cmp.Diff(want, r.ModuleKey); d != "" || err != nil {
			t.Errorf("%s: %v\n%s", text, err, d)
		}
	}
	for text, want := range map[string]string{
		"persistent":                   `5:13: module-key "persistent": must be ephemeral, or a mapping of persistent or recorded to a FILE`,
		"[ephemeral]":                  "5:13: module-key is a list: must be text",
		"{}":                           "5:13: module-key is empty: must be ephemeral, persistent: FILE or recorded: FILE",
		"{persistant: a}":              `5:14: unknown key "persistant": did you mean "persistent"?`,
		"{persistent: a, recorded: b}": "5:29: module-key must have only one of persistent and recorded",
		"{persistent: keys/}":          `5:26: persistent "keys/": must be the path of a file that ` + "`namibuild modkey new` made",
		"{recorded: ../s.json}":        `5:24: recorded "../s.json": must be the path of a file beside the recipe, not absolute, without ".." and "./"`,
		"{recorded: gone.json}":        `5:24: recorded "gone.json": must be a file beside the recipe: it does not exist`,
	} {
		_, err := Read("a.yaml", []byte(page+text), beside)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

// TestBeside checks that Beside returns all files that a recipe is made of, and no
// others.
func TestBeside(t *testing.T) {
	beside := fstest.MapFS{"p/Dockerfile": {}, "p/x/y": {}, "a.patch": {}, "s": {}, "unused": {}, "k.json": {}}
	r, err := Read("a.yaml", []byte("name: a\nimage: centos6\nsource: {pack: p}\npackages: [kernel]\nmodule-key: {recorded: k.json}\npatches: [{file: a.patch}]\nsources: [{file: s}, {file: s, as: t}]\n"), beside)
	if err != nil {
		t.Fatal(err)
	}
	names, err := r.Beside()
	if d := cmp.Diff([]string{"a.patch", "k.json", "p/Dockerfile", "p/x/y", "s"}, names); d != "" || err != nil {
		t.Errorf("%v\n%s", err, d)
	}
	delete(beside, "p/Dockerfile")
	if _, err := Read("a.yaml", []byte("name: a\nimage: centos6\nsource: {pack: p}\npackages: [kernel]\n"), beside); err == nil {
		t.Error("a pack without a Dockerfile is no error")
	}
}
