package plan

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// Difference is a fact in which two plans differ. A side that lacks it has
// nothing there.
type Difference struct {
	// Fact is a field of the plan, a variable of the environment or a macro of
	// rpmbuild, by name.
	Fact string `json:"fact"`
	A    string `json:"a,omitempty"`
	B    string `json:"b,omitempty"`
}

// Differences are the facts in which two plans differ, by name.
func Differences(a, b Plan) []Difference {
	one, two := a.named(), b.named()
	var all []Difference
	for name, x := range one {
		if y := two[name]; x != y {
			all = append(all, Difference{name, x, y})
		}
	}
	for name, y := range two {
		if _, ok := one[name]; !ok && y != "" {
			all = append(all, Difference{name, "", y})
		}
	}
	slices.SortFunc(all, func(x, y Difference) int { return cmp.Compare(x.Fact, y.Fact) })
	return all
}

// PinFact is what the facts of the pins begin with, as "pin clock"; each is on,
// with the digests of its files, or off.
const PinFact = "pin "

func (p Pin) fact() string {
	text := "on"
	if p.Off {
		text = "off"
	}
	for _, f := range p.Files {
		text += fmt.Sprintf(", %s %.12s", path.Base(f.Path), f.SHA256)
	}
	return text
}

// named are all facts of a plan by name.
func (p Plan) named() map[string]string {
	all := map[string]string{}
	for _, v := range p.Env {
		all[v.Name] = v.Value
	}
	var rest []string
	for i := 0; i < len(p.Args); i++ {
		if p.Args[i] == "--define" && i+1 < len(p.Args) {
			name, value, _ := strings.Cut(p.Args[i+1], " ")
			all[name] = value
			i++
			continue
		}
		rest = append(rest, p.Args[i])
	}
	all["args"] = strings.Join(rest, " ")
	for _, pin := range p.Pins {
		all[PinFact+pin.Name] = pin.fact()
	}
	p.Env, p.Args, p.Pins = nil, nil, nil
	maps.Copy(all, factsOf(p))
	maps.DeleteFunc(all, func(_, value string) bool { return value == `""` })
	return all
}
