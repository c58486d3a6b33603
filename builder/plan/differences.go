package plan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// Differences returns in what another build differs from the locked one, one
// sentence for each value, sorted by its path in the plan's JSON. There is none if
// the build is the locked one. Layers are not compared if either side has none.
func (l Lock) Differences(p Plan, layers []string) []string {
	p.Source.Mirrors, l.Plan.Source.Mirrors = nil, nil
	all := compare(factsOf(l.Plan), factsOf(p))
	if len(l.Layers) > 0 && len(layers) > 0 {
		locked, got := map[string]string{}, map[string]string{}
		flatten("imageLayers", l.Layers, locked)
		flatten("imageLayers", layers, got)
		all = append(all, compare(locked, got)...)
	}
	return all
}

// factsOf returns all values of a plan by their paths in its JSON.
func factsOf(p Plan) map[string]string {
	data, err := json.Marshal(p)
	tree := map[string]any{}
	if err == nil {
		d := json.NewDecoder(bytes.NewReader(data))
		d.UseNumber()
		err = d.Decode(&tree)
	}
	if err != nil {
		panic(err) // cannot happen: a plan is made of text and numbers
	}
	all := map[string]string{}
	for key, value := range tree {
		flatten(key, value, all)
	}
	return all
}

// flatten adds a value, and all values in it, by their paths. An object in a list
// that has a name is called by it, and not by its index.
func flatten(path string, value any, all map[string]string) {
	switch v := value.(type) {
	case map[string]any:
		for key, below := range v {
			flatten(path+"."+key, below, all)
		}
	case []string:
		for i, below := range v {
			all[path+"["+strconv.Itoa(i)+"]"] = strconv.Quote(below)
		}
	case []any:
		for i, below := range v {
			flatten(path+"["+label(i, below)+"]", below, all)
		}
	case string:
		all[path] = strconv.Quote(v)
	case nil:
	default:
		all[path] = fmt.Sprint(v)
	}
}

func label(i int, value any) string {
	if m, ok := value.(map[string]any); ok {
		if name, ok := m["name"].(string); ok {
			return name
		}
	}
	return strconv.Itoa(i)
}

func compare(locked, got map[string]string) []string {
	keys := maps.Clone(locked)
	maps.Copy(keys, got)
	var all []string
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		was, had := locked[key]
		is, has := got[key]
		switch {
		case had && has && was != is:
			all = append(all, fmt.Sprintf("%s is %s, locked %s", key, short(is), short(was)))
		case !has:
			all = append(all, fmt.Sprintf("%s is missing, locked %s", key, short(was)))
		case !had:
			all = append(all, fmt.Sprintf("%s is %s, and is not in the lock", key, short(is)))
		}
	}
	return all
}

// short returns a value, cut to what fits in a line.
func short(value string) string {
	const most = 90
	if r := []rune(value); len(r) > most {
		return string(r[:most]) + "…"
	}
	return value
}
