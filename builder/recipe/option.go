package recipe

import (
	"regexp"
	"strconv"
	"strings"
)

// Option is one option of the kernel's configuration, as a recipe wants it or
// a .config has it.
type Option struct {
	// Name begins with CONFIG_.
	Name string `json:"name"`
	// Value is y, m, n (not set), a number, or a text in quotes with Kconfig's
	// backslashes.
	Value string `json:"value"`
}

// Line is the option as a line of a .config, without a line break.
func (o Option) Line() string {
	if o.Value == "n" {
		return "# " + o.Name + " is not set"
	}
	return o.Name + "=" + o.Value
}

// Same tells whether two values mean the same: numbers count by what they are,
// as Kconfig may write 0x10 where 16 was asked for.
func (o Option) Same(value string) bool {
	a, aErr := strconv.ParseInt(o.Value, 0, 64)
	b, bErr := strconv.ParseInt(value, 0, 64)
	return o.Value == value || aErr == nil && bErr == nil && a == b
}

// optionLine is what Kconfig reads as the setting of an option (conf_read_simple
// in scripts/kconfig/confdata.c); any other line is a comment to it.
var optionLine = regexp.MustCompile(`^(?:(CONFIG_\w+)=(.*?)|# (CONFIG_\w+) is not set)[ \t]*\r?\n?$`)

// OptionOf reads a line of a .config; false: it sets no option.
func OptionOf(line string) (Option, bool) {
	if !strings.HasPrefix(line, "CONFIG_") && !strings.HasPrefix(line, "# CONFIG_") {
		return Option{}, false
	}
	m := optionLine.FindStringSubmatch(line)
	switch {
	case m == nil:
		return Option{}, false
	case m[3] != "":
		return Option{m[3], "n"}, true
	}
	return Option{m[1], m[2]}, true
}
