package recipe

import (
	"regexp"
	"strings"
	"unicode"

	yaml "go.yaml.in/yaml/v4"
)

var (
	optionForm = regexp.MustCompile(`^(?:CONFIG_)?[A-Za-z0-9_]+$`)
	numberForm = regexp.MustCompile(`^(?:-?(?:0|[1-9][0-9]*)|0x[0-9A-Fa-f]+)$`)
)

// config returns the options of the kernel's configuration, in the page's order.
func (p *page) config(in mapping) []Option {
	e, ok := in.entries["config"]
	if !ok {
		return nil
	}
	var all []Option
	lines := map[string]int{}
	entries := p.entries(e.value, "config")
	if e.value.Kind == yaml.MappingNode && len(entries) == 0 {
		p.fault(e.value, "config is empty: must have at least one option")
	}
	for _, one := range entries {
		name, good := p.scalar(one.key, "option", isOption)
		name = "CONFIG_" + strings.TrimPrefix(name, "CONFIG_")
		if first, twice := lines[name]; good && twice {
			p.fault(one.key, "option %s is set twice, first in line %d", clip(name), first)
			continue
		}
		lines[name] = one.key.Line
		all = append(all, Option{name, p.optionValue(one.value, clip(name))})
	}
	return all
}

func isOption(s string) string {
	return unless(optionForm.MatchString(s) && s != "CONFIG_", `letters, digits and "_", with or without CONFIG_ in front`)
}

// optionValue returns what a .config has behind the option's "=". Text must have
// quotes in the page too, so that a mistake such as yes is not taken for text.
func (p *page) optionValue(n *yaml.Node, name string) string {
	const want = "y, m, n, a number or text in quotes"
	if unreadable(n) {
		return ""
	}
	if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" {
		p.fault(n, "%s is %s: must be %s", name, describe(n), want)
		return ""
	}
	quoted := n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0
	switch text := n.Value; {
	case text == "y" || text == "m" || text == "n":
		return text
	case !quoted && numberForm.MatchString(text):
		return text
	case !quoted:
		p.fault(n, "%s is %s: must be %s", name, quote(text), want)
	case strings.ContainsFunc(text, unicode.IsControl):
		p.fault(n, "%s is %s: must be one line of text", name, quote(text))
	default:
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
	}
	return ""
}
