package source

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/recipe"
)

// FuzzSetOptions checks that each option is in the text once, and that all other
// lines stay.
func FuzzSetOptions(f *testing.F) {
	f.Add("CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_A=m", "CONFIG_B=y\n", "y")
	f.Add("# x86_64\r\nCONFIG_AA=0x10\r\n", "CONFIG_C=\"a\"", "n")
	f.Fuzz(func(t *testing.T, before, more, value string) {
		o := recipe.Option{Name: "CONFIG_A", Value: "m"}
		said, _ := recipe.OptionOf("CONFIG_A=" + value + "\n")
		if again, ok := recipe.OptionOf(said.Line() + "\n"); ok && again == said { // a recipe's values do not end in a carriage return
			o = said
		}
		all := []recipe.Option{o, {Name: "CONFIG_B", Value: "n"}}
		got, _ := setOptions("f", []byte(before+more), all)
		set := map[recipe.Option]int{}
		var rest []string
		for line := range strings.Lines(string(got)) {
			if o, ok := recipe.OptionOf(line); ok && (o.Name == "CONFIG_A" || o.Name == "CONFIG_B") {
				set[o]++
				continue
			}
			rest = append(rest, strings.TrimSuffix(line, "\n"))
		}
		if diff := cmp.Diff(map[recipe.Option]int{all[0]: 1, all[1]: 1}, set); diff != "" {
			t.Errorf("%s in %q", diff, got)
		}
		var want []string
		for line := range strings.Lines(before + more) {
			if o, ok := recipe.OptionOf(line); !ok || o.Name != "CONFIG_A" && o.Name != "CONFIG_B" {
				want = append(want, strings.TrimSuffix(line, "\n"))
			}
		}
		if diff := cmp.Diff(want, rest); diff != "" {
			t.Error(diff)
		}
	})
}
