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

// config are the options of the kernel's configuration, in the page's order.
func (p *page) config(in mapping) []Option {
	e, ok := in.entries["config"]
	if !ok {
		return nil
	}
	var all []Option
	lines := map[string]int{}
	entries := p.entries(e.value, "config")
	if e.value.Kind == yaml.MappingNode && len(entries) == 0 {
		p.fault(e.value, "config is empty: expected at least one option")
	}
	for _, one := range entries {
		name, good := p.scalar(one.key, "an option's name", isOption)
		name = "CONFIG_" + strings.TrimPrefix(name, "CONFIG_")
		if first, twice := lines[name]; good && twice {
			p.fault(one.key, "option %s stands twice: expected once, the first is in line %d", clip(name), first)
			continue
		}
		lines[name] = one.key.Line
		all = append(all, Option{name, p.optionValue(one.value, clip(name))})
	}
	return all
}

func isOption(s string) string {
	return unless(optionForm.MatchString(s) && s != "CONFIG_", `an option's name: letters, digits and "_", with CONFIG_ in front or not`)
}

// optionValue is what a .config has behind the option's "=". A text has quotes
// in the page as well, so that a slip like "yes" is not one.
func (p *page) optionValue(n *yaml.Node, name string) string {
	const want = "y, m, n, a number or a text in quotes"
	if unreadable(n) {
		return ""
	}
	if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" {
		p.fault(n, "%s is %s: expected %s", name, kind(n), want)
		return ""
	}
	quoted := n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0
	switch text := n.Value; {
	case text == "y" || text == "m" || text == "n":
		return text
	case !quoted && numberForm.MatchString(text):
		return text
	case !quoted:
		p.fault(n, "%s is %s: expected %s", name, quote(text), want)
	case strings.ContainsFunc(text, unicode.IsControl):
		p.fault(n, "%s is %s: expected one line of text", name, quote(text))
	default:
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
	}
	return ""
}
