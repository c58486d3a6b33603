package source_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/recipe"
	"namibuild/builder/rpm/rpmtest"
	"namibuild/builder/source"
)

var options = []recipe.Option{{Name: "CONFIG_A", Value: "m"}, {Name: "CONFIG_B", Value: "n"}, {Name: "CONFIG_NEW", Value: `"x"`}}

// withFiles writes the usual SRPM with more files, all with the same text.
func withFiles(t *testing.T, text string, names ...string) string {
	t.Helper()
	p := stockPackage(stockSpec(t), compress(t, "bzip2", pack(t, stockTree())))
	for _, name := range names {
		p.Files = append(p.Files, rpmtest.File{Path: name, Content: text, Mtime: oldTime})
	}
	return write(t, p)
}

// TestFragments checks which file of SOURCES gets the options.
func TestFragments(t *testing.T) {
	el6 := []string{"config-generic", "config-nodebug", "config-x86_64-generic", "config-x86_64-nodebug", "config-x86_64-nodebug-rhel", "config-x86_64-debug", "config-x86_64-debug-rhel"}
	el7 := []string{"kernel-2.6.32-s390x.config", "kernel-2.6.32-x86_64.config", "kernel-2.6.32-x86_64-debug.config"}
	el8 := []string{"kernel-aarch64.config", "kernel-x86_64.config", "kernel-x86_64-debug.config"}
	for name, c := range map[string]struct {
		files    []string
		rpmbuild recipe.Rpmbuild
		want     []string
	}{
		"el6":            {el6, recipe.Rpmbuild{}, []string{"config-x86_64-nodebug-rhel", "config-x86_64-debug-rhel"}},
		"el6 baseonly":   {el6, recipe.Rpmbuild{With: []string{"firmware", "baseonly"}}, []string{"config-x86_64-nodebug-rhel"}},
		"el7":            {el7, recipe.Rpmbuild{}, []string{"kernel-2.6.32-x86_64.config", "kernel-2.6.32-x86_64-debug.config"}},
		"el7 undebugged": {el7, recipe.Rpmbuild{Without: []string{"debug"}}, []string{"kernel-2.6.32-x86_64.config"}},
		"el8":            {el8, recipe.Rpmbuild{}, []string{"kernel-x86_64.config", "kernel-x86_64-debug.config"}},
		"el9":            {[]string{"kernel-local", "kernel-x86_64-rhel.config", "kernel-x86_64-debug-rhel.config"}, recipe.Rpmbuild{}, []string{"kernel-local"}},
		"ELRepo":         {[]string{"config-2.6.32-i686", "config-2.6.32-x86_64"}, recipe.Rpmbuild{}, []string{"config-2.6.32-x86_64"}},
		"demo":           {[]string{"config", "genkey2"}, recipe.Rpmbuild{}, []string{"config"}},
	} {
		r := recipe.Recipe{Config: options, Rpmbuild: c.rpmbuild}
		preview, got := prepare(t, withFiles(t, "# x86_64\nCONFIG_A=y\n", c.files...), r)
		var paths []string
		for _, change := range preview.Changes {
			paths = append(paths, strings.TrimPrefix(change.Path, "SOURCES/"))
		}
		if diff := cmp.Diff(c.want, paths); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		for _, file := range paths {
			if text := content(t, got, "SOURCES/"+file); text != "# x86_64\nCONFIG_A=m\n# CONFIG_B is not set\nCONFIG_NEW=\"x\"\n" {
				t.Errorf("%s: %s: %q", name, file, text)
			}
		}
	}
}

func TestNoFragment(t *testing.T) {
	want := []source.Fault{{File: "kernel.spec", Found: "none of them",
		Want: "a file of SOURCES that config: can set options in (kernel-local, config-x86_64-nodebug-rhel, config-x86_64-nodebug, " +
			"kernel-2.6.32-x86_64.config, kernel-x86_64.config, config-2.6.32-x86_64, config)"}}
	if diff := cmp.Diff(want, faultsOf(t, stock(t), recipe.Recipe{Config: options})); diff != "" {
		t.Error(diff)
	}
}

// TestSetOptions checks that each option is in the file once, whatever the file had
// before.
func TestSetOptions(t *testing.T) {
	for before, want := range map[string]string{
		"": "CONFIG_A=m\n# CONFIG_B is not set\nCONFIG_NEW=\"x\"\n",
		"CONFIG_A=m\n# CONFIG_B is not set\nCONFIG_NEW=\"x\"\n": "",
		"# CONFIG_A is not set\r\nCONFIG_B=y":                   "CONFIG_A=m\n# CONFIG_B is not set\nCONFIG_NEW=\"x\"\n",
		"CONFIG_A=y\nCONFIG_AB=y\n# CONFIG_A is not set\n# avoid CONFIG_A=y\nCONFIG_A=m\nCONFIG_B=n\n": "" +
			"CONFIG_A=m\nCONFIG_AB=y\n# avoid CONFIG_A=y\nCONFIG_B=n\nCONFIG_NEW=\"x\"\n",
		"no line end": "no line end\nCONFIG_A=m\n# CONFIG_B is not set\nCONFIG_NEW=\"x\"\n",
	} {
		preview, err := source.Inspect(t.Context(), at(t, withFiles(t, before, "config")), recipe.Recipe{Config: options}, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, c := range preview.Changes {
			got += string(c.After)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", before, diff)
		}
		var notes []string
		if strings.Contains(before, "avoid") {
			notes = []string{"SOURCES/config sets CONFIG_A more than once (lines 1, 3, 5): the recipe's value replaces all of them"}
		}
		if diff := cmp.Diff(notes, preview.Notes); diff != "" {
			t.Errorf("%q: %s", before, diff)
		}
	}
}

// TestConfigOverEdits checks that the options are set after what sources: and edits:
// do to the file, in one diff.
func TestConfigOverEdits(t *testing.T) {
	r := recipe.Recipe{
		Config:  options,
		Sources: []recipe.Added{{File: "mine", As: "kernel-local", Content: []byte("CONFIG_A=y\nCONFIG_C=y\n")}},
		Edits:   []recipe.Edit{{In: recipe.InSources, File: "kernel-local", Find: "C=y", Replace: "C=m", Times: 1}},
	}
	preview, got := prepare(t, withFiles(t, "", "config"), r)
	if text := content(t, got, "SOURCES/kernel-local"); text != "CONFIG_A=m\nCONFIG_C=m\n# CONFIG_B is not set\nCONFIG_NEW=\"x\"\n" {
		t.Errorf("%q", text)
	}
	if diff := preview.Diff(); !strings.Contains(diff, "+CONFIG_A=m\n+CONFIG_C=m\n") || len(preview.Changes) != 1 {
		t.Error(diff)
	}
}
