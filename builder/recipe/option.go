package recipe

import (
	"regexp"
	"strconv"
	"strings"
)

// Option is one option of the kernel's configuration, of a recipe or a .config.
type Option struct {
	// Name begins with CONFIG_.
	Name string `json:"name"`
	// Value is y, m, n (not set), a number, or text in quotes, escaped with
	// backslashes as Kconfig does.
	Value string `json:"value"`
}

// Line returns the option as a line of a .config, without a line break.
func (o Option) Line() string {
	if o.Value == "n" {
		return "# " + o.Name + " is not set"
	}
	return o.Name + "=" + o.Value
}

// Same tells whether value means the same as the option's. Numbers are compared
// as numbers, because Kconfig may write 0x10 for 16.
func (o Option) Same(value string) bool {
	a, aErr := strconv.ParseInt(o.Value, 0, 64)
	b, bErr := strconv.ParseInt(value, 0, 64)
	return o.Value == value || aErr == nil && bErr == nil && a == b
}

// optionLine matches the lines that Kconfig reads as the setting of an option
// (conf_read_simple in scripts/kconfig/confdata.c). It ignores all other lines.
var optionLine = regexp.MustCompile(`^(?:(CONFIG_\w+)=(.*?)|# (CONFIG_\w+) is not set)[ \t]*\r?\n?$`)

// OptionOf parses a line of a .config. ok is false if the line sets no option.
func OptionOf(line string) (o Option, ok bool) {
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
