package boot

import (
	"fmt"
	"slices"
	"strings"

	"namibuild/builder/recipe"
)

// Unmet says what a recipe wants of a kernel and the proof does not show. It is empty if
// the proof has every check that a boot by this recipe makes, and all passed. Unmet makes
// the checks again from log, the console in set.ProofLogFile, except for those of modules,
// which need the modules.
func (p Proof) Unmet(want recipe.Proof, log []byte) string {
	again := check(Order{Kernel: p.Kernel, Want: want}, nil, p.Ending, readConsole(log))
	for _, c := range again {
		if !c.Passed {
			return fmt.Sprintf("%s: want %s, the console says %s", c.Name, c.Want, c.Got)
		}
	}
	for _, name := range want.Modules {
		again = append(again, Check{Name: "module " + underscore(name), Want: moduleDemand(want.Signed)})
	}
	for _, c := range again {
		i := slices.IndexFunc(p.Checks, func(made Check) bool { return made.Name == c.Name })
		switch {
		case i < 0:
			return c.Name + " was not checked"
		case p.Checks[i].Want != c.Want:
			return fmt.Sprintf("%s: want %s, but it was checked for %s", c.Name, c.Want, p.Checks[i].Want)
		case !p.Checks[i].Passed:
			return c.Name + " failed"
		}
	}
	return ""
}

// versionDemand returns what checkVersion wants.
func versionDemand(release, text string) string {
	want := strings.TrimSpace("Linux version " + release + " ")
	if text != "" {
		want += fmt.Sprintf(", with %q", text)
	}
	return want
}

// moduleDemand returns what checkModule wants.
func moduleDemand(signed bool) string {
	if signed {
		return "loads, its signature is accepted"
	}
	return "loads"
}
