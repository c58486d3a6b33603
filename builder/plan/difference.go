package plan

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// Difference is a fact in which two plans, A and B, differ. It is empty for a plan
// that lacks the fact.
type Difference struct {
	// Fact is the name of a field of the plan, of a variable of the environment, or
	// of a macro of rpmbuild.
	Fact string `json:"fact"`
	A    string `json:"a,omitempty"`
	B    string `json:"b,omitempty"`
}

// Differences returns the facts in which two plans differ, sorted by name.
func Differences(a, b Plan) []Difference {
	one, two := a.factsByName(), b.factsByName()
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

// PinFact begins the name of a Fact that is a pin, such as "pin clock". Its value is
// "on", with the digests of the pin's files, or "off".
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

// factsByName returns all facts of a plan by their names.
func (p Plan) factsByName() map[string]string {
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
